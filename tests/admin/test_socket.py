"""The administration socket: who may open it, and one server for each."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from xmppd.admin.socket import MOST_CONNECTIONS, AdminSocket, AlreadyRunning, anybody, is_own

from .callers import Caller, listening, run, started
from .office import Office

Loop = Callable[[], asyncio.AbstractEventLoop]
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.mark.parametrize("loop", LOOPS)
def test_round_trip(office: Office, tmp_path: Path, loop: Loop) -> None:
    """A request is answered, on either loop."""

    async def work() -> None:
        async with listening(tmp_path / "socket", office.administration):
            caller = await Caller.connect(tmp_path / "socket")
            answer = await caller.asks(id=1, command=["account", "count"])
            assert answer["id"] == 1
            assert answer["result"]["values"] == {"accounts": 0}
            caller.hangs_up()

    run(work(), loop)


def test_only_the_owner_may_open_it(office: Office, tmp_path: Path) -> None:
    """The socket has mode 0600, from the moment that it has a name."""

    async def work() -> None:
        async with listening(tmp_path / "socket", office.administration):
            assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o600
            assert not (tmp_path / "socket.new").exists()

    run(work())


def test_mode_of_the_configuration(office: Office, tmp_path: Path) -> None:
    """The configuration may open it to a group; then the mode alone decides."""

    async def work() -> None:
        async with listening(tmp_path / "socket", office.administration, mode=0o660) as opened:
            assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o660
            assert opened._trusts is anybody

    run(work())


def test_stop_leaves_nothing(office: Office, tmp_path: Path) -> None:
    """A stopped server leaves no socket, and its connections end."""

    async def work() -> None:
        async with listening(tmp_path / "socket", office.administration):
            caller = await Caller.connect(tmp_path / "socket")
            await caller.asks(id=1, describe=True)
        assert not (tmp_path / "socket").exists()
        assert await caller.is_closed()
        caller.hangs_up()

    run(work())


def test_stopping_what_never_started(office: Office, tmp_path: Path) -> None:
    """A socket that was not started can be stopped, and leaves another server's alone."""

    async def work() -> None:
        async with listening(tmp_path / "socket", office.administration):
            AdminSocket(tmp_path / "socket", office.administration, asyncio.get_running_loop()).stop()
            assert (tmp_path / "socket").exists()

    run(work())


def test_dead_servers_socket_is_replaced(office: Office, tmp_path: Path) -> None:
    """A socket that nobody listens at, left by a crash, does not stop the next server."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    path.with_name("socket.lock").touch()

    async def work() -> None:
        async with listening(path, office.administration):
            caller = await Caller.connect(path)
            assert "commands" in await caller.asks(describe=True)
            caller.hangs_up()

    run(work())


def test_second_server_is_told(office: Office, tmp_path: Path) -> None:
    """A second server with the same socket does not start, and leaves the first one working."""

    async def work() -> None:
        path = tmp_path / "socket"
        async with listening(path, office.administration):
            with pytest.raises(AlreadyRunning, match="another server has the administration socket"):
                await started(AdminSocket(path, office.administration, asyncio.get_running_loop()))
            caller = await Caller.connect(path)
            assert "commands" in await caller.asks(describe=True)
            caller.hangs_up()

    run(work())


def test_socket_can_be_had_again(office: Office, tmp_path: Path) -> None:
    """After a server has stopped the next one starts."""

    async def work() -> None:
        for _ in range(2):
            async with listening(tmp_path / "socket", office.administration):
                pass

    run(work())


def test_other_files_are_not_replaced(office: Office, tmp_path: Path) -> None:
    """A file of that name that is no socket is somebody's: the start fails, and the lock is free again."""
    path = tmp_path / "socket"
    path.write_text("dear diary")

    async def work() -> None:
        with pytest.raises(FileExistsError, match="is no socket"):
            await started(AdminSocket(path, office.administration, asyncio.get_running_loop()))
        assert path.read_text() == "dear diary"
        path.unlink()
        async with listening(path, office.administration):
            pass

    run(work())


def test_path_that_is_too_long(office: Office, tmp_path: Path) -> None:
    """A path that does not fit into a socket's address is told as such."""

    async def work() -> None:
        path = tmp_path / ("x" * 100)
        with pytest.raises(OSError, match="has at most 100 bytes"):
            await started(AdminSocket(path, office.administration, asyncio.get_running_loop()))

    run(work())


def test_folder_that_does_not_exist(office: Office, tmp_path: Path) -> None:
    """Without its folder there is no socket."""

    async def work() -> None:
        with pytest.raises(FileNotFoundError):
            await started(AdminSocket(tmp_path / "no" / "socket", office.administration, asyncio.get_running_loop()))

    run(work())


def test_number_of_connections_is_bounded(office: Office, tmp_path: Path) -> None:
    """One connection too many is told so and closed; when another one has gone there is room again."""

    async def work() -> None:
        path = tmp_path / "socket"
        async with listening(path, office.administration):
            callers = [await Caller.connect(path) for _ in range(MOST_CONNECTIONS)]
            for caller in callers:
                await caller.asks(describe=True)
            late = await Caller.connect(path)
            assert (await late.receives())["error"]["text"] == "too many connections"
            assert await late.is_closed()
            for caller in [*callers, late]:
                caller.hangs_up()

    run(work())


def test_peer_is_known_by_the_kernel() -> None:
    """Our own user is trusted; the kernel says who it is."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert is_own(one)


def test_strangers_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's process is not trusted, whatever the file's mode let in."""
    one, other = socket.socketpair(socket.AF_UNIX)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(socket.socket, "getsockopt", lambda *args: b"\1\0\0\0\x31\x30\0\0\0\0\0\0")
    with one, other:
        assert not is_own(one)
