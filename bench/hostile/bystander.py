"""Somebody who only wants to be served: ``python -m bench.hostile.bystander PORT DOMAIN``.

Logs in over TLS, says ``ready``, and pings, each time when the answer to the last ping has come and `PAUSE` has passed.
A line on standard input ends a period: the waiting times of it, in milliseconds, go out as one line of JSON. A ping
that is under way counts with what it has waited so far.
"""

import json
import select
import sys
import time

from ..connection import Connection
from ..meter import Meter
from ..negotiation import Target, online, registered, trusting_context
from ..stage import Stage
from ..stanzas import ping

PAUSE = 0.01  # seconds
NAME = b"bystander"


class Bystander:
    """One session that pings."""

    def __init__(self, stage: Stage, connection: Connection) -> None:
        self._stage = stage
        self._connection = connection
        self._waits: list[float] = []
        self._asked: float | None = None
        self._next = 0.0
        self._number = 0
        self._seen = b""
        connection.receive = self._receive

    def _receive(self, data: bytes) -> None:
        self._seen = (self._seen + data)[-256:]
        if self._asked is not None and b"p%d" % self._number in self._seen:
            now = time.monotonic()
            self._waits.append((now - self._asked) * 1e3)
            self._asked = None
            self._next = now + PAUSE

    def _ask(self) -> None:
        now = time.monotonic()
        if self._asked is None and now >= self._next:
            self._number += 1
            self._asked = now
            self._connection.send(ping(self._stage.target.domain, b"p%d" % self._number))

    def period(self) -> list[float] | None:
        """Ping until a line comes in; return how long each ping took. None is the end of the input."""
        self._waits = []
        while not select.select([sys.stdin], [], [], 0)[0]:
            self._ask()
            self._stage.loop.turn(0.002)
        if not sys.stdin.readline():
            return None
        pending = [] if self._asked is None else [(time.monotonic() - self._asked) * 1e3]
        return [round(wait, 2) for wait in self._waits + pending]


def main() -> int:
    """Serve periods until the input ends."""
    port, domain = int(sys.argv[1]), sys.argv[2].encode()
    stage = Stage(Target("127.0.0.1", port, domain, trusting_context()), Meter(None))
    stage.dismiss(stage.bring([NAME], registered))
    (connection,) = stage.bring([NAME], online)
    bystander = Bystander(stage, connection)
    print("ready", flush=True)
    while (waits := bystander.period()) is not None:
        print(json.dumps({"waits": waits, "open": connection.open}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
