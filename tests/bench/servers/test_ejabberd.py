"""ejabberd under load: loopback only, rate limits off, nothing of the system's instance."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.servers import SERVERS, base, ejabberd
from bench.servers.base import Setting

from .cluster import Pretended
from .written import written


def test_ejabberd_listens_on_loopback_without_limits(setting: Setting) -> None:
    """No shaper on the listener, no fail2ban, no limit of registrations; a node and a distribution port of its own."""
    text = written("ejabberd", setting)
    assert re.search(r"port: 15222\n\s+ip: \"127.0.0.1\"", text)
    assert "fail2ban" not in text
    assert "shaper: " not in text
    assert "registration_timeout: infinity" in text
    command = SERVERS["ejabberd"]().command(setting)
    assert command[command.index("-erl_epmd_port") + 1] == "15269"
    assert "bench@127.0.0.1" in command
    assert "default_db: mnesia" in text
    assert "mod_mam" not in text


def test_ejabberd_keeps_every_message_if_that_is_the_task(setting: Setting) -> None:
    """In PostgreSQL, accounts and all; its tables are made with the database."""
    cluster: Any = Pretended()
    text = written("ejabberd-pg", replace(setting, keeps=True, cluster=cluster))
    for line in ("default_db: sql", "auth_method: sql", "sql_type: pgsql", "sql_port: 15432", 'sql_password: "pencil"'):
        assert line in text
    assert re.search(r"mod_mam:\n    assume_mam_usage: true\n    default: always", text)
    assert cluster.made == [("ejabberd", ejabberd.SCHEMA)]


def test_ejabberd_may_keep_them_in_mnesia(setting: Setting) -> None:
    """If somebody wants to know what that costs."""
    text = written("ejabberd-mnesia", replace(setting, keeps=True))
    assert "default_db: mnesia" in text
    assert "mod_mam:" in text


def test_ejabberd_on_postgresql_needs_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the emulator looks anyway, or where `ERL_LIBS` says."""
    server = SERVERS["ejabberd-pg"]
    monkeypatch.setattr(server, "needs", ())
    monkeypatch.setattr(ejabberd, "OTP", tmp_path)
    monkeypatch.setattr(ejabberd, "LIBRARIES", tmp_path)
    monkeypatch.setattr(ejabberd, "SCHEMA", tmp_path)
    monkeypatch.setattr(base, "binaries", lambda: tmp_path)
    monkeypatch.delenv("ERL_LIBS", raising=False)
    assert not server().installed()
    (tmp_path / "more" / "p1_pgsql-1.1.20").mkdir(parents=True)
    monkeypatch.setenv("ERL_LIBS", str(tmp_path / "more"))
    assert server().installed()
