"""A database comes to harm under load while others of the same server go on, and recovers without a restart of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any, Final, Protocol

from xmppd.storage.slots import SlotMap, slot_of

from .audit import Findings
from .house import House, PostgresDatabase
from .kills import examined
from .ledger import Ledger
from .people import Person, Recipient, Sender
from .postgres import Mortal
from .stream import HOST

SENDERS: Final = 4
BEFORE: Final = 200
"""Acknowledgements before the harm, and again behind it."""

TURNS: Final = 50
"""Messages that the others exchange meanwhile."""

Harm = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Outage:
    """What came of it; times are in seconds.

    :ivar what: was done to the database.
    :ivar refused: messages that were answered with an error.
    :ivar longest: the longest that any sender waited for an answer.
    :ivar recovered: how long from the end of the harm until a message was stored.
    :ivar before: how long the others' messages took before the harm; so are `meanwhile`.
    """

    what: str
    refused: int = 0
    longest: float = 0.0
    recovered: float = 0.0
    before: list[float] = field(default_factory=list)
    meanwhile: list[float] = field(default_factory=list)
    findings: Findings | None = None

    @property
    def latencies(self) -> str:
        """The medians and longest times of the others' messages, before and meanwhile, in milliseconds."""
        parts = [
            f"{median(some) * 1000:.1f} / {max(some) * 1000:.0f}" for some in (self.before, self.meanwhile) if some
        ]
        return " -> ".join(parts)


class Pair:
    """Two people who exchange one message after the other, and nothing else.

    :ivar ledger: their own.
    """

    def __init__(self, house: House, one: str, other: str, chance: Random) -> None:
        self.ledger = Ledger()
        self.sender = Sender(house, one, self.ledger, [f"{other}@{HOST}"], chance)
        self.recipient = Recipient(house, other, self.ledger)
        self.sender.is_discouraged = True  # it sends when it is told to

    async def exchanges(self, times: int) -> list[float]:
        """Send so many messages, each when the one before has come; return how long each took."""
        took = []
        for _ in range(times):
            begun = time.monotonic()
            message = self.sender.sends_one()
            await self.ledger.comes(message)
            took.append(time.monotonic() - begun)
        return took


class Scene:
    """Senders and recipients on one database, and a pair on another or on the same.

    :ivar senders: of the database that comes to harm.
    """

    def __init__(
        self, house: House, victims: Sequence[str], others: Sequence[str], seed: int, padding: int = 0
    ) -> None:
        chance = Random(seed)
        self.house = house
        self.ledger = Ledger()
        names = victims[SENDERS:]
        addresses = [f"{name}@{HOST}" for name in names]
        self.senders = [
            Sender(house, name, self.ledger, addresses, Random(chance.random()), padding) for name in victims[:SENDERS]
        ]
        self.recipients = [Recipient(house, name, self.ledger) for name in names]
        self.pair = Pair(house, others[0], others[1], chance) if others else None
        self._names = [*victims, *others]
        self._readers = names

    @property
    def people(self) -> list[Person]:
        """Everybody."""
        pair = [] if self.pair is None else [self.pair.recipient, self.pair.sender]
        return [*self.recipients, *self.senders, *pair]

    @property
    def owners(self) -> list[str]:
        """The bare JIDs of those who come to harm."""
        return [person.jid for person in (*self.senders, *self.recipients)]

    async def plays(self, what: str, harm: Harm, heal: Harm, meanwhile: Harm | None = None) -> Outage:
        """Let everybody send; do harm, wait until every sender has had an error; heal, and wait until all is well."""
        outage = Outage(what)
        await self.house.admits(*self._names)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(person.lives()) for person in self.people]
            await self.ledger.reaches("acknowledged", BEFORE)
            await self._exchange(outage.before)
            await harm()
            await asyncio.gather(self._despair(), self._exchange(outage.meanwhile))
            if meanwhile is not None:
                await meanwhile()
            await heal()
            healed = time.monotonic()
            await self._recover()
            outage.recovered = time.monotonic() - healed
            await self.ledger.reaches("acknowledged", BEFORE)
            await asyncio.gather(*(sender.finishes() for sender in self.senders))
            await self.ledger.is_paid()
            for person in self.people:
                person.leaves()
            await asyncio.gather(*tasks)
        outage.refused, outage.longest = self.ledger.counts["refused"], self.ledger.longest
        outage.findings = await examined(self.house, self.ledger, self.owners, self._readers)
        return outage

    async def _exchange(self, took: list[float]) -> None:
        if self.pair is not None:
            took += await self.pair.exchanges(TURNS)

    async def _despair(self) -> None:
        """Wait until every sender has had an error, and is therefore silent."""
        while not all(sender.is_discouraged for sender in self.senders):
            await self.ledger.reaches("discouraged", 1)

    async def _recover(self) -> None:
        """Have one sender try until a message is stored, then let all go on."""
        while not await self.senders[0].tries():
            pass
        for sender in self.senders:
            sender.is_encouraged()


# Two shards on two servers


@dataclass(frozen=True, slots=True)
class Pillars:
    """Two servers of one database each, one for each shard.

    :ivar weak: the index of the one that comes to harm.
    """

    servers: tuple[Mortal, Mortal]
    databases: tuple[PostgresDatabase, PostgresDatabase]
    weak: int

    @property
    def victim(self) -> Mortal:
        """The server that comes to harm."""
        return self.servers[self.weak]

    def names(self, shard: int, stem: str, count: int) -> list[str]:
        """Return localparts of accounts that live on a shard."""
        slots = SlotMap.even(2)
        found = (f"{stem}{number}" for number in range(1000))
        return [name for name in found if slots.shards[slot_of(f"{name}@{HOST}")] == shard][:count]

    def scene(self, house: House, seed: int) -> Scene:
        """Return the people, by where they live."""
        others = self.names(1 - self.weak, "bystander", 2)
        return Scene(house, self.names(self.weak, "victim", SENDERS + 3), others, seed)


def pillars(first: Mortal, second: Mortal, weak: int) -> Pillars:
    """Return two servers with fresh databases."""
    return Pillars((first, second), (PostgresDatabase(first), PostgresDatabase(second)), weak)


async def is_killed(house: House, stage: Pillars, seed: int) -> Outage:
    """All of PostgreSQL's processes are killed (SIGKILL), and it is started again."""
    return await stage.scene(house, seed).plays("killed", _in_thread(stage.victim.kill), _in_thread(stage.victim.start))


async def is_restarted(house: House, stage: Pillars, seed: int) -> Outage:
    """PostgreSQL is shut down in order, and started again."""
    return await stage.scene(house, seed).plays(
        "restarted", _in_thread(stage.victim.shut_down), _in_thread(stage.victim.start)
    )


async def is_frozen(house: House, stage: Pillars, seed: int) -> Outage:
    """All of its processes stop (SIGSTOP), with connections open, and go on."""
    return await stage.scene(house, seed).plays(
        "frozen", _in_thread(stage.victim.freeze), _in_thread(stage.victim.thaw)
    )


async def is_read_only(house: House, stage: Pillars, seed: int) -> Outage:
    """It takes no writes, as behind a failover, and takes them again."""
    name = stage.databases[stage.weak].name

    async def turn(is_read_only: bool) -> None:
        await asyncio.to_thread(stage.victim.make_read_only, name, is_read_only=is_read_only)

    return await stage.scene(house, seed).plays("read-only", lambda: turn(True), lambda: turn(False))


class Trouble(Protocol):
    """What is done to a shard."""

    def __call__(self, house: House, stage: Pillars, seed: int) -> Coroutine[Any, Any, Outage]: ...


TROUBLES: Final[dict[str, tuple[Trouble, int]]] = {
    "killed": (is_killed, 0),
    "frozen": (is_frozen, 1),
    "restarted": (is_restarted, 0),
    "read-only": (is_read_only, 1),
}
"""What is done, and to which shard; 0 has the slot map."""


def _in_thread(call: Callable[[], None]) -> Harm:
    return lambda: asyncio.to_thread(call)
