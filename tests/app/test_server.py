"""A node with its sockets: what opens in which order, what changes while it runs, and how it ends."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, update
from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs

from xmppd.app.data_folder import DataFolder
from xmppd.app.server import Server, StartError
from xmppd.config.problems import ConfigError, Problem
from xmppd.config.quantities import Duration, Url
from xmppd.config.server import Config, Kind, Listener, Shard, Tls
from xmppd.core.message_log import ARCHIVE, CHAT, COUNTER_BITS, RECEIVED, Entry
from xmppd.protocol.jid import Jid
from xmppd.storage.message_log.log import SqlMessageLog
from xmppd.storage.message_log.tables import log as rows

from .conftest import HOST, Run, make_certificate

FILE = Path("xmppd.toml")
HEADER = (
    f"<stream:stream to='{HOST}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
).encode()


class Stage:
    """A server on a loop of its own; `fresh` is what its file says now."""

    def __init__(self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        self.config = config
        self.fresh: Config | Exception = config
        self.logs_changed = 0
        self.run = run
        self._loop = loop
        self._data = DataFolder(config.server.data_folder)
        self._data.open()
        self.server = Server(config, FILE, self._data, reactor, loop, self._read, self._follow)

    def _read(self) -> Config:
        if isinstance(self.fresh, Exception):
            raise self.fresh
        return self.fresh

    def _follow(self) -> None:
        self.logs_changed += 1

    def starts(self) -> list[dict[str, Any]]:
        """Start it; return what it logs."""
        with capturedLogs() as events:
            self.run(self.server.start())
        return [dict(event) for event in events]

    def fails(self) -> str:
        """Start it, which must fail; return why."""
        with pytest.raises(StartError) as failed:
            self.starts()
        assert not self.server.is_ready
        return str(failed.value)

    def stops(self) -> None:
        """Stop it, and let what is closed go."""
        self.run(self.server.stop())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._data.close()

    def connects(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect and open a stream."""

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEADER)
            await reader.readuntil(b"</stream:features>")
            return reader, writer

        return self._loop.run_until_complete(connect())


@pytest.fixture
def stage(config: Config, reactor: Any, loop: asyncio.AbstractEventLoop, run: Run) -> Iterator[Stage]:
    stage = Stage(config, reactor, loop, run)
    yield stage
    stage.stops()


AGE = update(rows).values(id=rows.c.id - bindparam("two_hours"))
"""Lets rows have been committed two hours ago."""


async def _fired(deferred: Deferred[None]) -> None:
    await deferred


def ports(events: list[dict[str, Any]]) -> list[int]:
    return [event["port"] for event in events if "listens on" in event["log_format"]]


class TestStart:
    """Everything opens, or one line says why not."""

    def test_everything(self, stage: Stage) -> None:
        """Databases, modules, the administration socket, three ports; ready when all of it is there."""
        assert not stage.server.is_ready
        events = stage.starts()
        assert stage.server.is_ready
        assert len(ports(events)) == 3
        assert stage.config.admin.socket.is_socket()
        assert b"xmppd_connections_open 0.0" in stage.server.exposition.render()

    def test_old_messages_go(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """From the start on the log looks after what is too old."""
        started: list[SqlMessageLog] = []
        monkeypatch.setattr(SqlMessageLog, "start", lambda log: started.append(log))
        stage.starts()
        assert [log.shards for log in started] == [stage.server.shards]

    def test_what_should_be_known_is_noted(self, stage: Stage) -> None:
        """Once for each: what this version does not serve, and logins without TLS."""
        stage.config.listeners.append(Listener(kind=Kind.S2S, address="127.0.0.1", port=0))
        warned = [event for event in stage.starts() if event["log_level"] is LogLevel.warn]
        assert [event["note"] for event in warned if "note" in event] == [
            "listeners[3] (s2s, 127.0.0.1 port 0): not served by this version"
        ]

    def test_readers(self, config: Config, stage: Stage) -> None:
        """`shards.readers` is how many threads read."""
        config.shards[0].readers = 3
        stage.starts()
        assert stage.server._databases[0]._limits.threads == 3

    def test_limits_of_admission(self, stage: Stage) -> None:
        """`limits.connections` and `limits.connections_per_address`."""
        admission, limits = stage.server.admission, stage.config.limits
        assert (admission.total, admission.per_address) == (limits.connections, limits.connections_per_address)

    def test_mode_of_the_socket(self, stage: Stage) -> None:
        """`admin.mode`."""
        stage.config.admin.mode = type(stage.config.admin.mode)("0660")
        stage.starts()
        assert stage.config.admin.socket.stat().st_mode & 0o777 == 0o660

    def test_no_host_has_a_certificate(self, stage: Stage) -> None:
        """Where nobody uses TLS that is no reason to fail."""
        stage.config.hosts[HOST].certificate = stage.config.hosts[HOST].key = None
        stage.config.listeners[:] = [
            Listener(kind=Kind.C2S, tls=Tls.NONE, address="127.0.0.1", port=0, scram_without_tls=True)
        ]
        assert len(ports(stage.starts())) == 1

    def test_a_certificate_that_cannot_be_used(self, stage: Stage, tmp_path: Path) -> None:
        """The file of the certificate is named behind that of the configuration."""
        (tmp_path / f"{HOST}.crt").write_text("garbage")
        assert stage.fails().startswith(f"xmppd.toml: {tmp_path}/{HOST}.crt: ")

    def test_a_database_that_is_down(self, stage: Stage) -> None:
        """Nobody listens on port 1."""
        stage.config.shards[0] = Shard(url=Url("postgresql://xmppd:pencil@127.0.0.1:1/xmppd"))
        told = stage.fails()
        assert told.startswith("xmppd.toml: shards: postgresql://xmppd:***@127.0.0.1:1/xmppd is down: ")
        assert told.endswith(": start the database or correct the url")

    def test_a_database_of_no_kind(self, stage: Stage) -> None:
        """The configuration's check has let it pass by its beginning."""
        stage.config.shards[0] = Shard(url=Url("sqlite://:memory:"))
        assert stage.fails().startswith("xmppd.toml: shards: ")

    def test_another_server_has_the_socket(
        self, stage: Stage, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop, run: Run, tmp_path: Path
    ) -> None:
        """Two data folders and one socket."""
        stage.starts()
        config.server.data_folder = tmp_path / "other"
        other = Stage(config, reactor, loop, run)
        assert "stop that server first, or set another admin.socket in xmppd.toml" in other.fails()
        other.stops()
        assert config.admin.socket.is_socket()

    def test_a_socket_that_cannot_be_made(self, stage: Stage) -> None:
        """Something else has its name."""
        stage.config.admin.socket.mkdir()
        assert "see [admin] in xmppd.toml" in stage.fails()

    def test_a_module_that_fails(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        """The loader's own words, with the file that loads it."""
        from xmppd.modules.ping import Ping

        async def fail(self: Ping) -> None:
            raise OSError("out of luck")

        monkeypatch.setattr(Ping, "start", fail)
        assert stage.fails() == "xmppd.toml: modules: module ping failed to start: OSError: out of luck"


class TestReload:
    """What changes under a server that runs."""

    @pytest.fixture
    def running(self, stage: Stage) -> Stage:
        stage.starts()
        return stage

    def reloads(self, stage: Stage) -> list[str]:
        reloaded = stage.run(stage.server.reload())
        return [*map(str, reloaded.changes), *reloaded.notes]

    def changed(self, stage: Stage, tmp_path: Path) -> Config:
        """Return a copy of the configuration to be changed."""
        from copy import deepcopy

        stage.fresh = deepcopy(stage.config)
        return stage.fresh

    def test_nothing(self, running: Stage) -> None:
        """The log is opened again all the same: it may have been rotated."""
        assert self.reloads(running) == []
        assert running.logs_changed == 1

    def test_limits(self, running: Stage, tmp_path: Path) -> None:
        """New connections are counted by the new ones, new streams read by them."""
        fresh = self.changed(running, tmp_path)
        fresh.limits.connections, fresh.limits.connections_per_address = 7, 3
        fresh.limits.namespaces = 9
        lines = self.reloads(running)
        assert len(lines) == 3
        assert (running.server.admission.total, running.server.admission.per_address) == (7, 3)
        assert running.server.node is not None
        assert running.server.node.clients.early.limits.declarations == 9

    def test_hosts(self, running: Stage, tmp_path: Path) -> None:
        """Who administers, and who may be a guest."""
        self.changed(running, tmp_path).hosts[HOST].anonymous = True
        self.reloads(running)
        assert running.server.node is not None
        host = running.server.node.hosts.get(HOST)
        assert host is not None
        assert host.anonymous

    def test_retention(self, running: Stage, tmp_path: Path) -> None:
        """For how long messages are kept: what is too old by the new time goes when old messages are next looked for."""
        server, owner = running.server, Jid(f"juliet@{HOST}")
        log = server.node.log if server.node is not None else None
        assert isinstance(log, SqlMessageLog)
        told: list[Exception | None] = []
        heard: Deferred[None] = Deferred()
        entry = Entry(owner, owner, RECEIVED, CHAT, ARCHIVE, b"<message/>")
        log.append([entry], lambda error: (told.append(error), heard.callback(None)))
        running.run(_fired(heard))
        running.run(log.shards.write(owner, "age", AGE, [{"two_hours": 2 * 3_600_000 << COUNTER_BITS}]))
        running.run(log.tend())
        assert running.run(log.ends(owner)) is not None
        self.changed(running, tmp_path).hosts[HOST].retention = Duration("1h")
        self.reloads(running)
        running.run(log.tend())
        assert running.run(log.ends(owner)) is None
        assert told == [None]

    def test_what_needs_a_restart(self, running: Stage, tmp_path: Path) -> None:
        """Told, not done."""
        self.changed(running, tmp_path).server.node = "node2"
        assert self.reloads(running) == ['server.node: "node1" -> "node2" (needs a restart)']
        assert running.config.server.node == "node1"

    def test_certificates_elsewhere(self, running: Stage, tmp_path: Path) -> None:
        """The files that are named now are shown and listed."""
        (tmp_path / "new").mkdir()
        host = self.changed(running, tmp_path).hosts[HOST]
        host.certificate, host.key = make_certificate(tmp_path / "new", HOST)
        assert f"{HOST} has another certificate" in self.reloads(running)
        assert running.server.certificates is not None
        assert running.server.certificates.list()[0].file == tmp_path / "new" / f"{HOST}.crt"

    def test_certificates_that_cannot_be_used(self, running: Stage, tmp_path: Path) -> None:
        """The rest of the reload counts."""
        fresh = self.changed(running, tmp_path)
        fresh.server.name = "Verona"
        (tmp_path / f"{HOST}.crt").write_text("garbage")
        name, certificate = self.reloads(running)
        assert name == 'server.name: "xmppd" -> "Verona"'
        assert certificate.startswith("not used, the old certificate stays: ")

    def test_mistakes(self, running: Stage) -> None:
        """They change nothing, and SIGHUP tells the log."""
        running.fresh = ConfigError([Problem("xmppd.toml", (), "is spoilt")])
        with pytest.raises(ConfigError):
            self.reloads(running)
        assert running.logs_changed == 0
        with capturedLogs() as events:
            running.server.hang_up()
        assert [str(event["error"]) for event in events] == ["xmppd.toml: is spoilt"]


class TestStop:
    """Everything closes, in the opposite order, whatever was open."""

    def test_before_it_started(self, stage: Stage) -> None:
        """There is nothing to close."""
        stage.run(stage.server.stop())

    def test_clients_are_told(self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop, run: Run) -> None:
        """They get `system-shutdown` and time to read it; then nobody is connected any more."""
        stage = Stage(config, reactor, loop, run)
        (port, *_) = ports(stage.starts())
        reader, writer = stage.connects(port)
        stopping = asyncio.ensure_future(Deferred.fromCoroutine(stage.server.stop()).asFuture(loop), loop=loop)
        assert b"<system-shutdown" in loop.run_until_complete(reader.read())
        writer.close()
        loop.run_until_complete(stopping)
        assert stage.server.admission.open == 0
        assert not stage.server.is_ready
        assert not config.admin.socket.exists()

    def test_a_client_that_is_gone_in_a_bad_way(
        self, config: Config, reactor: Any, loop: asyncio.AbstractEventLoop, run: Run
    ) -> None:
        """A reset that nobody has seen yet does not keep the others from being told."""
        stage = Stage(config, reactor, loop, run)
        (port, *_) = ports(stage.starts())
        gone, stays = stage.connects(port), stage.connects(port)
        kernel = gone[1].get_extra_info("socket")
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone[1].transport.abort()
        loop.call_soon(loop.stop)
        loop.run_forever()  # one turn: the socket is closed, the server has not looked
        stopping = asyncio.ensure_future(Deferred.fromCoroutine(stage.server.stop()).asFuture(loop), loop=loop)
        assert b"<system-shutdown" in loop.run_until_complete(stays[0].read())
        stays[1].close()
        loop.run_until_complete(stopping)
        assert stage.server.admission.open == 0
