"""What must happen to streams because time passes: the end of those that never finish logging in, a sign of life for
idle ones.

One clock call a second serves all streams. A stream that negotiates is looked at every second; bound ones are visited
in turn, each about every `VISIT_EVERY` seconds, so that a hundred thousand idle sessions cost a slice of a
millisecond.
"""

from typing import TYPE_CHECKING, Final

from ..config.limits import Limits
from ..protocol.errors import StreamError
from .clock import Clock

if TYPE_CHECKING:
    from .client_stream import ClientStream

VISIT_EVERY: Final = 20


class Upkeep:
    """The streams of this node, by what they wait for.

    :ivar now: the time of the last tick, in seconds; streams note it when something comes in.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._negotiating: dict[ClientStream, float] = {}
        self._bound: dict[ClientStream, None] = {}
        self._round: list[ClientStream] = []
        self._slice = 0
        self._call: object = None
        self.now = clock.seconds()

    def start(self) -> None:
        """Begin to tick."""
        self._call = self._clock.callLater(1.0, self._tick)

    def stop(self) -> None:
        """Tick no more."""
        if self._call is not None:
            self._call.cancel()  # type: ignore[attr-defined]  # IDelayedCall
            self._call = None

    def negotiating(self, stream: "ClientStream") -> None:
        """Watch a new stream until it is bound."""
        self._negotiating[stream] = self._clock.seconds() + self._limits.negotiation

    def bound(self, stream: "ClientStream") -> None:
        """Watch a stream that has a session."""
        self._negotiating.pop(stream, None)
        self._bound[stream] = None

    def gone(self, stream: "ClientStream") -> None:
        """Forget a stream."""
        self._negotiating.pop(stream, None)
        self._bound.pop(stream, None)

    def streams(self) -> "list[ClientStream]":
        """Return all streams, those that negotiate first."""
        return [*self._negotiating, *self._bound]

    def counts(self) -> tuple[int, int]:
        """Return how many streams negotiate and how many are bound."""
        return len(self._negotiating), len(self._bound)

    def _tick(self) -> None:
        self._call = self._clock.callLater(1.0, self._tick)
        self.now = now = self._clock.seconds()
        for stream in [stream for stream, deadline in self._negotiating.items() if deadline <= now]:
            stream.close(StreamError("connection-timeout", "logging in took too long"))
        if not self._round:
            self._round = list(self._bound)
            self._slice = len(self._round) // VISIT_EVERY + 1
        for stream in self._round[-self._slice :]:
            if stream in self._bound:
                self._visit(stream, now)
        del self._round[-self._slice :]

    def _visit(self, stream: "ClientStream", now: float) -> None:
        silent = now - stream.last_heard
        if silent <= self._limits.idle_ping:
            return
        if stream.pinged_at is None:
            stream.pinged_at = now
            stream.ask_for_life()
        elif now - stream.pinged_at > self._limits.idle_timeout:
            stream.let_go(StreamError("connection-timeout", "no sign of life"))
