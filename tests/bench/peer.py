"""The server's end of one connection, played by the test."""

import socket

from bench.connection import Connection
from bench.loop import Loop

LIMIT = 10.0
"""Seconds that no test comes near: how long a wait may last."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, loop: Loop) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host, port = listener.getsockname()
            self.connection = Connection(loop, host, port, b"romeo")
            self.socket = listener.accept()[0]

    def hears(self, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            heard += self.socket.recv(size - len(heard))
        return heard
