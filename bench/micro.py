"""``python -m bench.micro``: microseconds per operation of the parts of the hot path, beside the last commit's.

Processor time of this thread, the best of several repetitions: the work is deterministic, whatever is slower was
disturbed. ``--save`` adds the figures to ``bench/results/micro.json``.
"""

import argparse
import itertools
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from rich.console import Console
from rich.table import Table

from xmppd.core.drive import drive
from xmppd.core.hooks import Decision, Hooks, Phase, Verdict, on
from xmppd.protocol.element import Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.parser import ParserPool
from xmppd.protocol.stanza import read
from xmppd.protocol.tree import Limits
from xmppd.protocol.writer import serialise
from xmppd.transport.tls import Scratch, TlsSession

from .servers.certificate import make_certificate
from .servers.xmppd import git
from .stanzas import chat

STORE = Path(__file__).parent / "results" / "micro.json"
KEPT = 50  # commits
CHAT = chat(b"juliet@capulet.example", b"a1b2c3d4-17")
ROMEO = Jid("romeo@montague.example/orchard")


@dataclass(slots=True)
class Measured:
    """One operation: a name, and a function that performs it so many times."""

    name: str
    repeat: Callable[[int], None]


def microseconds(repeat: Callable[[int], None], seconds: float, repetitions: int = 7) -> float:
    """Return the processor time of one operation: the best of several repetitions of at least `seconds`."""
    count = 1
    while (spent := timed(repeat, count)) < seconds:
        count = max(2 * count, int(count * seconds / spent * 1.1) if spent > 0 else 0)
    return min(timed(repeat, count) for _ in range(repetitions)) / count * 1e6


def timed(repeat: Callable[[int], None], count: int) -> float:
    """Return the seconds of this thread's processor time that `count` operations take."""
    begin = time.thread_time()
    repeat(count)
    return time.thread_time() - begin


def times(operation: Callable[[], object]) -> Callable[[int], None]:
    """Return a function that calls the operation so many times."""

    def repeat(count: int) -> None:
        for _ in itertools.repeat(None, count):
            operation()

    return repeat


# Parsing and writing


def parsed(data: bytes) -> Element:
    """Return one stanza as the parser makes it."""
    element = ParserPool(Limits()).take().feed(data)[0]
    assert isinstance(element, Element)
    return element


def parse_from_pool(look: Callable[[Any], object] | None = None) -> Callable[[], object]:
    """Take a parser from the pool, read one stanza, look at it and give the parser back, as an idle session does."""
    pool = ParserPool(Limits())

    def operation() -> None:
        parser = pool.take()
        parser.feed(CHAT)
        events = parser.take_events()
        if look is not None:
            look(events[0])
        pool.give_back(parser)

    return operation


def protocol() -> Iterator[Measured]:
    """Yield what is done to a chat message between two sockets."""
    element = parsed(CHAT)
    built = Element(element.name, element.attributes, element.children)  # without the bytes as received
    stanza = read(element, ROMEO)
    stamp = Element("{urn:xmpp:sid:0}stanza-id", {"by": "juliet@capulet.example", "id": "1834298348231"})
    yield Measured("parse a chat message", times(parse_from_pool()))
    yield Measured("parse it and look at its children", times(parse_from_pool(attrgetter("children"))))
    yield Measured("read it as a stanza", times(lambda: read(element, ROMEO)))
    yield Measured("write it: relayed", times(lambda: read(element, ROMEO).to_bytes()))
    yield Measured("write it: relayed with a stanza-id", times(lambda: stanza.with_added(stamp).to_bytes()))
    yield Measured("write it: serialised anew", times(lambda: serialise(built)))


# Addresses


def addresses() -> Iterator[Measured]:
    """Yield looking up an address that is known, plain ASCII that is not, and an address that needs PRECIS."""
    fresh = itertools.count()
    yield Measured("JID, known", times(lambda: Jid.parse("juliet@capulet.example/balcony")))
    yield Measured("JID, new, ASCII", times(lambda: Jid.parse(f"u{next(fresh)}@capulet.example/balcony")))
    yield Measured("JID, new, not ASCII", times(lambda: Jid.parse(f"ümlaut{next(fresh)}@capulet.example/Zürich")))


# Hooks


class Asked(Decision):
    """An event of the benchmark."""

    __slots__ = ()


class Indifferent:
    """Handles the event and does nothing."""

    @on(Asked, Phase.GUARD)
    async def pass_by(self, event: Asked) -> Verdict | None:
        return None


def firing(subject: Hooks) -> Callable[[], object]:
    """Return a function that fires one decision."""
    event = Asked()
    return lambda: drive(subject.decide(event))


def hooks() -> Iterator[Measured]:
    """Yield one decision with no handler, one and eight."""
    for handlers in (0, 1, 8):
        subject = Hooks()
        for number in range(handlers):
            subject.bind(f"owner{number}", Indifferent())
        yield Measured(f"decision, {handlers} handlers", times(firing(subject)))


# TLS


def connected(folder: Path) -> tuple[TlsSession, TlsSession]:
    """Return the server's and the client's end of a TLS connection over memory, handshake done."""
    files = make_certificate(folder, "localhost")
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_file(str(files.certificate))
    context.use_privatekey_file(str(files.key))
    accepting, connecting = SSL.Connection(context), SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    accepting.set_accept_state()
    connecting.set_connect_state()
    server, client = TlsSession(accepting, Scratch()), TlsSession(connecting, Scratch())
    client.handshake()
    while not (server.established and client.established):
        pass_on(client, server)
        pass_on(server, client)
    client.decrypt(b"")  # tickets, if any
    return server, client


def pass_on(source: TlsSession, target: TlsSession) -> None:
    """Hand over what one end has written, and let the other go on."""
    target.feed(source.outgoing())
    if target.established:
        target.read()
    else:
        target.handshake()


def tls(folder: Path) -> Iterator[Measured]:
    """Yield sealing one chat message, and sealing and opening it."""
    server, client = connected(folder)
    # the other order would lose records and break the connection
    yield Measured("TLS, seal and open a chat message", times(lambda: client.decrypt(server.encrypt(CHAT))))
    yield Measured("TLS, seal a chat message", times(lambda: server.encrypt(CHAT)))


# Figures


def figures(seconds: float, folder: Path) -> dict[str, float]:
    """Measure everything; return microseconds by name."""
    found = {}
    for measured in itertools.chain(protocol(), addresses(), hooks(), tls(folder)):
        found[measured.name] = round(microseconds(measured.repeat, seconds), 3)
    return found


def stored() -> list[dict[str, Any]]:
    """Return the figures of earlier commits, the last one last."""
    if not STORE.exists():
        return []
    entries: list[dict[str, Any]] = json.loads(STORE.read_text())
    return entries


def save(commit: str, found: dict[str, float]) -> None:
    """Add the figures of this commit, instead of older ones of the same."""
    entries = [entry for entry in stored() if entry["commit"] != commit]
    entries.append({"commit": commit, "python": platform.python_version(), "us": found})
    STORE.write_text(json.dumps(entries[-KEPT:], indent=1, ensure_ascii=False) + "\n")


def table(commit: str, found: dict[str, float], before: dict[str, Any] | None) -> Table:
    """Return the figures beside earlier ones."""
    grid = Table("operation", title="Microseconds per operation", title_justify="left")
    grid.add_column(commit, justify="right")
    grid.add_column(before["commit"] if before else "before", justify="right")
    grid.add_column("ratio", justify="right")
    for name, now in found.items():
        then = before["us"].get(name) if before else None
        ratio = f"{now / then:.2f}" if then else ""
        grid.add_row(name, f"{now:.2f}", f"{then:.2f}" if then else "", ratio)
    return grid


def main() -> int:
    """Measure, compare, and save if asked."""
    parse = argparse.ArgumentParser(prog="python -m bench.micro", description=__doc__)
    parse.add_argument("--save", action="store_true", help=f"add the figures to {STORE.name}")
    parse.add_argument("--seconds", type=float, default=0.1, help="of one repetition (0.1)")
    options = parse.parse_args()
    commit = git("rev-parse", "--short", "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        found = figures(options.seconds, Path(folder))
    before = next((entry for entry in reversed(stored()) if entry["commit"] != commit), None)
    Console().print(table(commit, found, before))
    if options.save:
        save(commit, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
