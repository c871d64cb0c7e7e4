"""xmppd under load: loopback only, nothing of the system's, no limit in the way."""

import tomllib
from dataclasses import replace
from typing import Any

from bench.servers.base import Setting

from .cluster import Pretended
from .written import written


def test_xmppd_is_configured_in_toml(setting: Setting) -> None:
    """Loopback, SCRAM without TLS for the plain runs, registration open, no limit for one address in the way."""
    config = tomllib.loads(written("xmppd", setting))
    (listener,) = config["listeners"]
    assert (listener["address"], listener["port"], listener["scram_without_tls"]) == ("127.0.0.1", 15222, True)
    assert config["modules"]["register"]["enabled"] is True
    assert config["limits"]["connections_per_address"] >= 10_000
    assert config["hosts"]["localhost"]["store"] == "never"
    assert config["shards"] == [{"url": "sqlite:///shard0.sqlite"}]


def test_xmppd_keeps_messages_if_that_is_the_task(setting: Setting) -> None:
    """On PostgreSQL in a database of its own, which is made if need be."""
    cluster: Any = Pretended()
    config = tomllib.loads(written("xmppd-pg", replace(setting, keeps=True, cluster=cluster)))
    assert config["hosts"]["localhost"]["store"] == "always"
    assert config["shards"] == [{"url": "postgresql://bench:pencil@127.0.0.1:15432/xmppd"}]
    assert cluster.made == [("xmppd", None)]
