"""The reactor; in a process of its own, since a process has one."""

import subprocess
import sys

import pytest

HOSTED = """
import asyncio, sys
if {hide!r}:
    sys.modules["uvloop"] = None
from xmppd.transport.reactor import install
assert "twisted.internet.reactor" not in sys.modules
reactor, loop = install()
from twisted.internet import reactor as installed
assert installed is reactor
assert asyncio.get_event_loop() is loop

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(data)

async def story():
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    writer.close()
    print(type(loop).__module__.partition(".")[0])
    reactor.callLater(0, reactor.stop)

reactor.callWhenRunning(lambda: loop.create_task(story()))
reactor.run()
"""


@pytest.mark.parametrize(("hide", "name"), [(False, "uvloop"), (True, "asyncio")])
def test_reactor_and_loop_are_one(hide: bool, name: str) -> None:
    """Twisted's timers and asyncio's protocols run on the same loop: uvloop's, or asyncio's where that is missing."""
    done = subprocess.run([sys.executable, "-c", HOSTED.format(hide=hide)], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [name]


def test_one_reactor_a_process() -> None:
    """A second one is refused."""
    code = "from xmppd.transport.reactor import install; install(); install()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert "ReactorAlreadyInstalledError" in done.stderr
