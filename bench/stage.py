"""The sessions of a run: brought online many at a time, waited for, sent away."""

import re
from collections.abc import Callable, Iterable, Sequence

from .connection import Connection, ignore
from .dialogue import Dialogue, NegotiationError, Script
from .loop import Loop
from .meter import Meter
from .negotiation import Target, online
from .procs import TICKS_PER_SECOND
from .stanzas import ping

AT_ONCE = 20
PATIENCE = 300.0  # seconds for everybody to come online

Scripted = Callable[[Connection, Target], Script]


class Arrivals:
    """Runs one script for each name, so many at a time; the first failure ends it."""

    def __init__(self, loop: Loop, target: Target, script: Scripted, names: Sequence[bytes]) -> None:
        self.connections: list[Connection] = []
        self.error: NegotiationError | None = None
        self.finished = 0
        self._loop = loop
        self._target = target
        self._script = script
        self._names = names

    def fill(self) -> None:
        """Start as many as may be under way."""
        while self.error is None and len(self.connections) < min(len(self._names), self.finished + AT_ONCE):
            name = self._names[len(self.connections)]
            connection = Connection(self._loop, self._target.host, self._target.port, name)
            self.connections.append(connection)
            Dialogue(connection, self._script(connection, self._target), self._done).start()

    def settled(self) -> bool:
        """Say whether all are through, or one has failed."""
        return self.error is not None or self.finished == len(self._names)

    def _done(self, connection: Connection, error: NegotiationError | None) -> None:
        self.finished += 1
        self.error = self.error or error
        self.fill()


class Stage:
    """What a scenario works with: the loop, the meter, and sessions on the target."""

    def __init__(self, target: Target, meter: Meter) -> None:
        self.loop = Loop()
        self.target = target
        self.meter = meter

    def bring(self, names: Iterable[bytes], script: Scripted = online) -> list[Connection]:
        """Run the script for every name and return the connections in that order."""
        arrivals = Arrivals(self.loop, self.target, script, list(names))
        arrivals.fill()
        if not self.loop.until(arrivals.settled, PATIENCE):
            raise NegotiationError(f"{arrivals.finished} of {len(arrivals.connections)} came in {PATIENCE:.0f} s")
        if arrivals.error is not None:
            raise arrivals.error
        return arrivals.connections

    def converse(self, connection: Connection, script: Script) -> None:
        """Run a script on a connection that is online; return when it is through."""
        ends: list[NegotiationError | None] = []
        Dialogue(connection, script, lambda _, error: ends.append(error)).start()
        if not self.loop.until(lambda: bool(ends), PATIENCE):
            raise NegotiationError(f"{connection.name.decode()}: no end after {PATIENCE:.0f} s")
        if ends[0] is not None:
            raise ends[0]

    def dismiss(self, connections: Iterable[Connection]) -> None:
        """End these sessions."""
        for connection in connections:
            connection.close()

    def calm(self, limit: float = 30.0, step: float = 0.25) -> bool:
        """Wait until the server has used next to no processor time for two steps; say whether it did."""
        quiet, before, waited = 0, self.meter.cpu(), 0.0
        while quiet < 2 and waited < limit:
            self.loop.run(step)
            waited += step
            now = self.meter.cpu()
            # the clock has ticks of 10 ms: one tick a step is calm, whatever share that is
            quiet = quiet + 1 if now - before < 0.03 * step + 1.5 / TICKS_PER_SECOND else 0
            before = now
        return quiet >= 2

    def barrier(self, connections: Sequence[Connection], ident: bytes) -> None:
        """Ping on every stream and wait for the answers: what was sent before has been processed."""
        waiting = set(connections)
        for connection in connections:
            connection.receive = self._watch(connection, ident, waiting)
            connection.send(ping(self.target.domain, ident))
        answered = self.loop.until(lambda: not waiting, 120.0)
        for connection in connections:
            connection.receive = ignore
        if not answered:
            raise NegotiationError(f"{len(waiting)} of {len(connections)} pings were not answered")

    def unharmed(self) -> None:
        """Raise if the server has ended a connection: the figures would be of something else."""
        if self.loop.lost:
            raise NegotiationError(f"{self.loop.lost} connections were ended by the server")

    @staticmethod
    def _watch(connection: Connection, ident: bytes, waiting: set[Connection]) -> Callable[[bytes], None]:
        pattern = re.compile(rb"\bid=[\"']%s[\"']" % re.escape(ident))
        tail = b""

        def watch(data: bytes) -> None:
            nonlocal tail
            tail += data
            if pattern.search(tail):
                waiting.discard(connection)
            tail = tail[-64:]

        return watch
