"""go-sendxmpp, a command in Go (go-xmpp) that sends what it reads and prints what it receives."""

from collections.abc import Sequence
from pathlib import Path

from tests.services.debian import Program

from .processes import Process
from .servers import Server


class SendXmpp:
    """Somebody who chats from the shell."""

    def __init__(self, program: Program, home: Path, server: Server, jid: str, password: str) -> None:
        home.mkdir()
        self.jid = jid
        self._environment = {"HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC", **program.environment}
        where = ("--jserver", f"{server.address}:{server.port}", "--no-tls-verify")
        self._command: Sequence[str | Path] = (program.path, "--username", jid, "--password", password, *where)

    def writes(self, jid: str, text: str) -> None:
        """Send one message and be gone."""
        sending = Process((*self._command, jid), self._environment)
        assert sending.ends(f"{text}\n") == 0, sending.lines

    def listens(self) -> Process:
        """Be online and print each message as `time jid: text`, until stopped."""
        return Process((*self._command, "--listen"), self._environment)
