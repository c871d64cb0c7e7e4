"""Profanity, a console client in C (libstrophe), driven as a person drives it."""

import re
from pathlib import Path

from tests.services.debian import Program

from .servers import Server
from .terminal import Tmux


class Profanity:
    """Somebody who chats with profanity. The verbs wait until the client shows that it is done."""

    def __init__(self, tmux: Tmux, program: Program, home: Path, jid: str) -> None:
        for folder in ("config", "data"):
            (home / folder).mkdir(parents=True)
        self.jid = jid
        settings = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "XDG_DATA_HOME": home / "data"}
        name = jid.partition("@")[0]
        self.terminal = tmux.open(name, program, {key: str(value) for key, value in settings.items()})
        self.terminal.shows(r"Type '/help' to show complete help")

    def connects(self, server: Server, password: str) -> None:
        """Log in to a server whose certificate nobody has signed: look at it and trust it for good."""
        self.terminal.types(f"/connect {self.jid} server {server.address} port {server.port} tls force")
        self.terminal.shows(r"Enter password:")
        self.terminal.types(password)
        self.terminal.shows(r"TLS certificate verification failed(.|\n)*'/tls always' to accept")
        self.terminal.types("/tls always")
        self.terminal.shows(rf"{self.jid}/\S+ logged in successfully, online")

    def asks_to_see(self, other: "Profanity") -> None:
        """Ask for a subscription to another's presence, which that other allows."""
        self.terminal.types(f"/sub request {other.jid}")
        other.terminal.shows(rf"Received authorization request from {self.jid}")
        other.terminal.types(f"/sub allow {self.jid}")
        self.terminal.shows(rf"Subscription received from {other.jid}")

    def sees(self, jid: str, presence: str) -> None:
        """Wait until the last that the console tells of another is this presence: online, away, offline."""
        told = rf"{jid} (\(\S+\) )?is "
        self.terminal.types("/win 1")
        self.terminal.shows(rf"{told}{presence}(?!(.|\n)*{told})")

    def writes(self, jid: str, text: str) -> None:
        """Send a message in the window of that chat, which opens."""
        self.terminal.types(f"/msg {jid} {text}")
        self.terminal.shows(rf"me: {re.escape(text)}")

    def reads(self, jid: str, text: str) -> None:
        """Wait for a message in the window of that chat."""
        self.terminal.types(f"/msg {jid}")
        self.terminal.shows(rf"{jid}/\S+: {re.escape(text)}")

    def is_away(self, why: str) -> None:
        """Be away, and say why."""
        self.terminal.types(f'/status set away "{why}"')
        self.terminal.shows(r"\[TLS\] \[away\]")

    def leaves(self) -> None:
        """Log out."""
        self.terminal.types("/disconnect")
        self.terminal.shows(r"\[offline\]")
