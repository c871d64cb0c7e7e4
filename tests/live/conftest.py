"""The cast of a live chat: a server, terminals, and clients that are not ours."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.debian import Packages

from .profanity import Profanity
from .sendxmpp import SendXmpp
from .servers import HOST, Prosody, Server, Xmppd
from .terminal import Tmux

PASSWORDS = {f"romeo@{HOST}": "but soft, what light", f"juliet@{HOST}": "wherefore art thou"}


@pytest.fixture
def server(debian: Packages, tmp_path: Path) -> Iterator[Server]:
    """A running server with Romeo's and Juliet's accounts: ours, or the reference if XMPPD_LIVE_SERVER names it."""
    server: Server
    if os.environ.get("XMPPD_LIVE_SERVER") == "prosody":
        server = Prosody(debian.program("prosody"), debian.program("prosodyctl", "prosody"), tmp_path)
    else:
        server = Xmppd(tmp_path)
    try:
        for jid, password in PASSWORDS.items():
            server.register(jid, password)
        yield server
    finally:
        code = server.process.stop()
    assert code == 0, "\n".join(server.process.lines)


@pytest.fixture
def tmux(debian: Packages) -> Iterator[Tmux]:
    """Terminals of this test's own."""
    with Tmux(debian.program("tmux")) as tmux:
        yield tmux


@pytest.fixture
def profanity(debian: Packages, tmux: Tmux, server: Server, tmp_path: Path) -> Iterator[Callable[[str], Profanity]]:
    """Start profanity for an account and log in."""
    program = debian.program("profanity")
    opened = []

    def start(jid: str) -> Profanity:
        client = Profanity(tmux, program, tmp_path / jid, jid)
        opened.append(client)
        client.connects(server, PASSWORDS[jid])
        return client

    yield start
    for client in opened:
        client.terminal.close()


@pytest.fixture
def sendxmpp(debian: Packages, server: Server, tmp_path: Path) -> Callable[[str], SendXmpp]:
    """Take go-sendxmpp for an account."""
    program = debian.program("go-sendxmpp")
    return lambda jid: SendXmpp(program, tmp_path / f"shell-{jid}", server, jid, PASSWORDS[jid])
