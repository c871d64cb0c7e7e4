"""xmppd under load: loopback only, nothing of the system's, no limit in the way."""

import tomllib

from bench.servers.base import Setting

from .written import written


def test_xmppd_is_configured_in_toml(setting: Setting) -> None:
    """Loopback, SCRAM without TLS for the plain runs, registration open, no limit for one address in the way."""
    config = tomllib.loads(written("xmppd", setting))
    (listener,) = config["listeners"]
    assert (listener["address"], listener["port"], listener["scram_without_tls"]) == ("127.0.0.1", 15222, True)
    assert config["modules"]["register"]["enabled"] is True
    assert config["limits"]["connections_per_address"] >= 10_000
