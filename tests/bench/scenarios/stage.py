"""A stage on which nothing moves but what the test says: connections that remember, and a meter that counts."""

from collections.abc import Callable, Iterable
from typing import Any

from bench.job import Job
from bench.meter import Reading
from bench.negotiation import online

JOB = Job("a scenario", 5222, sessions=4, friends=3, contacts=2, pairs=2, window=2, turns=2, warmup=0.0, seconds=0.0)


class Wire:
    """A connection that only remembers, and answers if the test says what."""

    def __init__(self, name: bytes = b"") -> None:
        self.name = name
        self.sent = b""
        self.receive: Any = None

    def send(self, data: bytes) -> None:
        self.sent += data

    def tls(self) -> str:
        return "TLSv1.3 a cipher"


class Meter:
    """Each reading is one second and one second of the server's later; each look at memory 100 KiB more."""

    def __init__(self) -> None:
        self.readings = 0.0
        self.memory = 0

    def read(self) -> Reading:
        self.readings += 1.0
        return Reading(self.readings, self.readings, 0.0, self.readings, 0.0)

    def resident(self) -> int:
        self.memory += 100
        return self.memory


class Stage:
    """What scenarios call.

    :ivar said: what they have done, in order.
    :ivar deliver: called whenever the loop runs; lets the server do something.
    """

    def __init__(self) -> None:
        self.said: list[str] = []
        self.loop = self
        self.lost = 0
        self.target = self
        self.domain = b"localhost"
        self.meter = Meter()
        self.wires: list[Wire] = []
        self.deliver: Callable[[], None] = lambda: None

    # The stage

    def bring(self, names: Iterable[bytes], script: Any = online) -> list[Wire]:
        found = [Wire(name) for name in names]
        self.said.append(f"bring {len(found)} {script.__name__}")
        self.wires += found
        return found

    def dismiss(self, connections: Iterable[Wire]) -> None:
        self.said.append(f"dismiss {len(list(connections))}")

    def calm(self) -> bool:
        self.said.append("calm")
        self.deliver()
        return True

    def barrier(self, connections: list[Wire], ident: bytes) -> None:
        self.said.append(f"barrier {ident.decode()}")

    def unharmed(self) -> None:
        self.said.append("unharmed")

    # The target

    def address(self, name: bytes) -> bytes:
        return name + b"@" + self.domain

    # The loop

    def run(self, seconds: float) -> None:
        self.deliver()

    def turn(self, timeout: float) -> None:
        self.deliver()

    def until(self, holds: Callable[[], bool], limit: float) -> bool:
        self.deliver()
        return holds()
