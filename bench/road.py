"""``python -m bench.road``: what the road of a chat message costs in memory, from one client's bytes to the other's.

Everything is there but sockets: parser, hooks, modules, log. So this tells at once what a change of the hot path does,
while ``python -m bench`` tells what a server costs. Figures are microseconds of processor time for each message: the
best of many short rounds, since whatever is slower was disturbed. The ways take turns, so that all of them have the
same quiet moments.

* *never*: on a host with ``store = "never"``; *acknowledged*: the recipient counts stanzas there (XEP-0198).
* *always*: each message is two rows of a log in SQLite, in memory, committed within the turn.
* Twenty messages come in one piece, or each by itself.
"""

import argparse
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store

from .stanzas import chat

ROMEO = "romeo@montague.example"
JULIET = "juliet@capulet.example"
ENABLE = "<enable xmlns='urn:xmpp:sm:3'/>"
ROUND = 100  # messages
PIECE = 20


@dataclass
class Pair:
    """Two clients of a server of their own.

    :param acknowledges: whether the recipient acknowledges stanzas.
    :ivar received: what the recipient was sent in the last round.
    """

    store: Store
    acknowledges: bool = False
    received: list[bytes] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        self.server = Server(store=self.store)
        self.romeo = self.server.online(f"{ROMEO}/orchard")
        self.juliet = self.server.online(f"{JULIET}/balcony")
        if self.acknowledges:
            self.juliet.sends(ENABLE)
        _listen(self.romeo, [])
        _listen(self.juliet, self.received)

    def round(self, together: int) -> float:
        """Send a round of messages, so many in each piece; return the seconds that one of them took."""
        pieces = [self._piece(together) for _ in range(ROUND // together)]
        self.received.clear()
        take, run = self.romeo.driver.data_received, self.server.run
        begin = time.process_time()
        for piece in pieces:
            take(piece)
            run()
        spent = time.process_time() - begin
        self._acknowledge()
        return spent / ROUND

    def _piece(self, messages: int) -> bytes:
        self.sent += messages
        return b"".join([chat(JULIET.encode(), b"m%d" % (self.sent - left)) for left in range(messages)])

    def _acknowledge(self) -> None:
        managed = self.juliet.driver.managed
        if managed is not None:
            self.juliet.driver.data_received(b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % managed.outgoing.sent)

    def messages(self) -> int:
        """Return how many messages the recipient was sent in the last round."""
        return sum([data.count(b"<body>") for data in self.received])


def _listen(client: Client, received: list[bytes]) -> None:
    """Let what is sent to a client be kept as it is: nobody reads it."""
    client.connection.write = received.append  # type: ignore[assignment, method-assign]


@dataclass
class Way:
    """One way of sending."""

    name: str
    pair: Pair
    together: int
    best: float = float("inf")

    def go(self) -> None:
        """Go it once."""
        self.best = min(self.best, self.pair.round(self.together))
        if self.pair.messages() != ROUND:
            raise RuntimeError(f"{self.name}: {self.pair.messages()} of {ROUND} messages arrived")


def ways() -> list[Way]:
    """Return the ways that are compared."""
    never, acknowledged, always = Pair(Store.NEVER), Pair(Store.NEVER, acknowledges=True), Pair(Store.ALWAYS)
    return [
        Way("never", never, PIECE),
        Way("never, one by one", never, 1),
        Way("acknowledged", acknowledged, PIECE),
        Way("always", always, PIECE),
        Way("always, one by one", always, 1),
    ]


def measure(rounds: int) -> Sequence[Way]:
    """Go each way so many times."""
    found = ways()
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for way in found:
            way.go()
    return found


def main() -> int:
    """Measure, and show."""
    parse = argparse.ArgumentParser(prog="python -m bench.road", description=__doc__)
    parse.add_argument("--rounds", type=int, default=100, help=f"of {ROUND} messages each way (100)")
    options = parse.parse_args()
    grid = Table("way", title="Microseconds of processor time a message", title_justify="left")
    grid.add_column("best", justify="right")
    for way in measure(options.rounds):
        grid.add_row(way.name, f"{way.best * 1e6:.1f}")
    Console().print(grid)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
