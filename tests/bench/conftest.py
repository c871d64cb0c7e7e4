"""What tests of the benchmark share: a loop, and a peer on it."""

from collections.abc import Iterator

import pytest

from bench.loop import Loop

from .peer import Peer


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    for connection in list(loop.connections.values()):
        connection.close()
    loop.epoll.close()


@pytest.fixture
def peer(loop: Loop) -> Iterator[Peer]:
    peer = Peer(loop)
    yield peer
    peer.socket.close()
