"""The server is killed under load, again and again (SIGKILL), and started again."""

import asyncio
import time
from bisect import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Final

from .archive import read_archive
from .audit import Findings, audit, read_logs
from .house import House
from .ledger import Ledger
from .people import Person, Recipient, Sender

SENDERS: Final = 10
STAYING, WANDERING, ABSENT = ("juliet", "nurse", "tybalt"), "romeo", "rosaline"
"""Recipients: those who are always there, one who comes and goes, and one who comes only at the end."""

RECIPIENTS: Final = (*STAYING, WANDERING, ABSENT)
MOMENTS: Final = {"sent": 400, "acknowledged": 400, "delivered": 300, "logins": len(STAYING) + SENDERS}
"""What a kill may wait for, and how many more of it at most."""


@dataclass(slots=True)
class Figures:
    """What came of it; times are in seconds of a monotonic clock.

    :ivar begun: when the first message may have been sent.
    :ivar kills: when each kill was.
    :ivar ready: how long each time until the server was ready again.
    """

    engine: str
    seed: int
    ledger: Ledger
    begun: float = field(default_factory=time.monotonic)
    kills: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    findings: Findings | None = None

    @property
    def recovered(self) -> list[float]:
        """How long from each kill to the next acknowledgement, unless another kill came first."""
        found = []
        times = self.ledger.times
        for kill, following in pairwise([*self.kills, float("inf")]):
            place = bisect(times, kill)
            if place < len(times) and times[place] < following:
                found.append(times[place] - kill)
        return found


class Company:
    """The people, each in a task of its own; one who fails ends all."""

    def __init__(self, house: House, ledger: Ledger, chance: Random, group: asyncio.TaskGroup) -> None:
        names = [f"{name}@capulet.example" for name in RECIPIENTS]
        self.senders = [
            Sender(house, f"sender{number}", ledger, names, Random(chance.random())) for number in range(SENDERS)
        ]
        self.recipients = {name: Recipient(house, name, ledger) for name in RECIPIENTS}
        self._group = group
        self._tasks: dict[Person, asyncio.Task[None]] = {}

    @property
    def owners(self) -> list[str]:
        """All bare JIDs."""
        return [person.jid for person in (*self.senders, *self.recipients.values())]

    def comes(self, person: Person) -> None:
        """Let somebody be there from now on."""
        self._tasks[person] = self._group.create_task(person.lives())

    async def goes(self, person: Person, *, politely: bool) -> None:
        """Let somebody go; returns when the connection is closed."""
        person.leaves(politely=politely)
        await self._tasks.pop(person)

    def is_there(self, person: Person) -> bool:
        """Whether somebody is meant to be there."""
        return person in self._tasks

    async def ends(self) -> None:
        """Let everybody go."""
        for person in list(self._tasks):
            await self.goes(person, politely=True)


async def killed(house: House, engine: str, seed: int, kills: int) -> Figures:
    """Kill a server that is running that many times under load; return the figures.

    :raises AssertionError: somebody was thrown out of a server that ran, or was told what cannot be.
    """
    chance = Random(seed)
    ledger = Ledger()
    await house.admits(*(f"sender{number}" for number in range(SENDERS)), *RECIPIENTS)
    figures = Figures(engine, seed, ledger)
    async with asyncio.TaskGroup() as group:
        company = Company(house, ledger, chance, group)
        for person in (*(company.recipients[name] for name in STAYING), *company.senders):
            company.comes(person)
        counts = Counter[str]()
        for _ in range(kills):
            await _wander(company, chance)
            await _moment(ledger, counts, chance)
            counts = ledger.counts.copy()
            await _kill_once(house, figures)
        await asyncio.gather(*(sender.finishes() for sender in company.senders))
        for recipient in company.recipients.values():
            if not company.is_there(recipient):
                company.comes(recipient)
        await ledger.is_paid()
        await company.ends()
    figures.findings = await examined(house, ledger, company.owners, RECIPIENTS)
    return figures


async def _wander(company: Company, chance: Random) -> None:
    """Let the one who comes and goes do so, politely or not."""
    romeo = company.recipients[WANDERING]
    if company.is_there(romeo):
        await company.goes(romeo, politely=chance.random() < 0.5)
    else:
        company.comes(romeo)


async def _moment(ledger: Ledger, since: Counter[str], chance: Random) -> None:
    """Wait for the moment of the next kill, which may be while people still log in after the last one."""
    kind = chance.choice(list(MOMENTS))
    await ledger.comes_to(kind, since[kind] + chance.randint(1, MOMENTS[kind]))


async def _kill_once(house: House, figures: Figures) -> None:
    figures.kills.append(time.monotonic())
    await house.kill()
    await house.start()
    figures.ready.append(time.monotonic() - figures.kills[-1])


async def examined(house: House, ledger: Ledger, owners: Sequence[str], readers: Sequence[str]) -> Findings:
    """Read the log in both ways and compare it with what people were told."""
    archives = {f"{name}@capulet.example": await read_archive(house, name) for name in readers}
    logs = await asyncio.to_thread(read_logs, house, owners, is_sqlite=house.is_sqlite)
    return audit(ledger, logs, archives)
