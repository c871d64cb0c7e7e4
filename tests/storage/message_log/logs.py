"""A message log on a deployment, and what tests say to it."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, update
from twisted.internet.task import Clock

from tests.storage.deployments import Deployment
from xmppd.core.message_log import ARCHIVE, CHAT, RECEIVED, SENT, WAIT, Entry, Row
from xmppd.protocol.jid import Jid
from xmppd.storage.database import Database
from xmppd.storage.message_log import SqlMessageLog
from xmppd.storage.message_log.keys import digest_of
from xmppd.storage.message_log.tables import log
from xmppd.storage.message_log.writer import Bounds
from xmppd.storage.slots import slot_of

NOW = 1_700_000_000.0
ROMEO = Jid("romeo@montague.example")
JULIET = Jid("juliet@capulet.example")
ORCHARD = Jid("romeo@montague.example/orchard")
BALCONY = Jid("juliet@capulet.example/balcony")
CHAMBER = Jid("juliet@capulet.example/chamber")


def received(
    body: str = "hark", *, owner: Jid = ROMEO, peer: Jid = BALCONY, flags: int = ARCHIVE | WAIT, **more: Any
) -> Entry:
    """Return a row that the owner received."""
    return Entry(owner, peer, RECEIVED, CHAT, flags, f"<message><body>{body}</body></message>".encode(), **more)


def sent(body: str = "hark", *, owner: Jid = JULIET, peer: Jid = ROMEO, flags: int = ARCHIVE, **more: Any) -> Entry:
    """Return a row that the owner sent."""
    return Entry(owner, peer, SENT, CHAT, flags, f"<message><body>{body}</body></message>".encode(), **more)


def bodies(rows: Sequence[Row]) -> list[str]:
    """Return what the rows say."""
    return [row.stanza.decode().removeprefix("<message><body>").partition("<")[0] for row in rows]


class Told:
    """Who waits for an append.

    :ivar heard: what it was told: None for each append that is committed, the error for each that is not.
    """

    def __init__(self) -> None:
        self.heard: list[Exception | None] = []

    def __call__(self, error: Exception | None) -> None:
        self.heard.append(error)


class Fixture:
    """A log with a clock that stands still until it is told to go on.

    :ivar wall: what SQLite's rows are numbered by.
    """

    def __init__(self, deployment: Deployment, bounds: Bounds | None = None) -> None:
        self.deployment = deployment
        self.clock = Clock()
        self.wall = NOW
        self.log = SqlMessageLog(
            deployment.shards,
            self.clock,
            deployment.loop.call,
            wall_clock=lambda: self.wall,
            bounds=bounds or Bounds(),
        )
        self.run = deployment.run

    @property
    def is_sqlite(self) -> bool:
        return self.deployment.databases[0].is_sqlite

    def database_of(self, owner: Jid) -> Database:
        """Return the shard that has an owner."""
        return self.deployment.databases[self.deployment.shards.slots.shards[slot_of(owner)]]

    def begin(self, *groups: Sequence[Entry]) -> Told:
        """Append each group, in one turn; nothing is awaited."""
        told = Told()
        for group in groups:
            self.log.append(group, told)
        return told

    def until(self, is_so: Callable[[], bool]) -> None:
        """Let the loop go on until something is so."""
        while not is_so():
            self.deployment.loop.turn()

    def heard(self, *groups: Sequence[Entry]) -> list[Exception | None]:
        """Append each group, in one turn; return what each was told."""
        told = self.begin(*groups)
        self.until(lambda: len(told.heard) == len(groups))
        return told.heard

    def add(self, *entries: Entry) -> list[int]:
        """Append entries, each by itself but in one turn; return their ids."""
        assert self.heard(*([entry] for entry in entries)) == [None] * len(entries)
        return [entry.id for entry in entries]

    def set_id(self, owner: Jid, old: int, new: int) -> None:
        """Let a row have been committed at another time, on databases whose clock cannot be set."""
        change = update(log).where(log.c.owner == bindparam("whose"), log.c.id == bindparam("old"))
        row = {"whose": digest_of(owner), "old": old, "new": new}
        self.run(self.deployment.shards.write(owner, "set id", change.values(id=bindparam("new")), [row]))
