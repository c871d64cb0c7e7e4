"""Presence: friends with rosters change presence together, turn by turn."""

from typing import Any

from ..dialogue import NegotiationError
from ..job import Job
from ..stage import Stage
from ..stanzas import Counter, availability
from .names import friends

START = b"<presence"
QUIET = 1.5  # seconds without a delivery after which a turn is over: a server may not send one's own presence back


class Round:
    """All friends, and the presence stanzas that have reached them."""

    def __init__(self, stage: Stage, job: Job) -> None:
        self._stage = stage
        self.sessions = stage.bring(friends(job.friends))
        self.expected = job.friends * job.contacts
        self._counters = [Counter(START) for _ in self.sessions]

    def listen(self) -> None:
        """Begin to count."""
        for session, counter in zip(self.sessions, self._counters, strict=True):
            session.receive = counter.feed  # type: ignore[assignment]  # its result is of no use here

    def delivered(self) -> int:
        """Return how many presences have come."""
        return sum(counter.total for counter in self._counters)

    def change(self, turn: int, echoed: int) -> None:
        """Everybody changes presence; wait for the deliveries, `echoed` of one's own included."""
        goal = self.delivered() + self.expected + echoed
        for session in self.sessions:
            session.send(availability(turn))
        while self.delivered() < goal and self._more():
            pass

    def _more(self) -> bool:
        """Wait for one more delivery; say whether one came."""
        seen = self.delivered()
        return self._stage.loop.until(lambda: self.delivered() != seen, QUIET)


def presence(stage: Stage, job: Job) -> dict[str, Any]:
    """Change presence `job.turns` times; the unit is one presence delivered."""
    party = Round(stage, job)
    stage.calm()
    party.listen()
    party.change(0, 0)
    stage.calm()
    # what came above the contacts' presences in the first turn is everybody's own, if the server sends that back
    echoed = min(party.delivered() - party.expected, job.friends)
    if echoed < 0:
        raise NegotiationError(f"{party.delivered()} presences arrived of {party.expected}")
    start, before = party.delivered(), stage.meter.read()
    for turn in range(1, job.turns + 1):
        party.change(turn, echoed)
    usage, count = before.until(stage.meter.read()), party.delivered() - start
    stage.unharmed()
    stage.dismiss(party.sessions)
    return {
        **usage.figures(),
        "unit": "delivery",
        "units": count,
        "lost": (party.expected + echoed) * job.turns - count,
        **usage.cost(count),
        "per_s": count / usage.wall,
    }
