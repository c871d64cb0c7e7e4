"""Messages for those who are away, and their delivery when they come back."""

from collections.abc import Sequence
from typing import Any

from ..connection import Connection
from ..dialogue import NegotiationError
from ..job import Job
from ..meter import Usage
from ..negotiation import bound
from ..stage import Stage
from ..stanzas import Counter, chat
from .messages import END_OF_BODY, run_id
from .names import away, senders

AT_ONCE = 10  # messages that each sender sends before all of them wait for the server
PATIENCE = 60.0  # seconds for what was stored to come


class Visit:
    """Everybody who was away comes, gets what waits, and goes again.

    :ivar usage: what it cost, from the first login until the server is calm behind the last logout.
    :ivar delivered: how many messages came.
    """

    def __init__(self, stage: Stage, job: Job, expected: int) -> None:
        self._counter = [Counter(END_OF_BODY) for _ in range(job.away)]
        before = stage.meter.read()
        sessions = stage.bring(away(job.away), bound)
        for session, counter in zip(sessions, self._counter, strict=True):
            session.receive = counter.feed  # type: ignore[assignment]  # its result is of no use here
            session.send(b"<presence/>")
        stage.loop.until(lambda: self.delivered >= expected, PATIENCE)
        stage.calm()
        stage.unharmed()
        stage.dismiss(sessions)
        stage.calm()
        self.usage: Usage = before.until(stage.meter.read())

    @property
    def delivered(self) -> int:
        return sum(counter.total for counter in self._counter)


def offline(stage: Stage, job: Job) -> dict[str, Any]:
    """Send `job.messages` to `job.away` users who are away, and let them come; less what coming costs anyway."""
    writers = stage.bring(senders())
    Visit(stage, job, 0)  # whatever waited does so no longer, and the server is warm
    coming = Visit(stage, job, 0).usage
    before = stage.meter.read()
    count = _write(stage, job, writers)
    written = stage.meter.read()
    stage.calm()
    storing = before.until(stage.meter.read())
    visit = Visit(stage, job, count)
    flushing = visit.usage.less(coming)
    stage.dismiss(writers)
    if not visit.delivered:
        raise NegotiationError("no message arrived")
    whole = storing.plus(flushing)
    return {
        **storing.figures(),
        "unit": "message",
        "units": count,
        "lost": count - visit.delivered,
        **whole.cost(count),
        "store_us": storing.per_unit(count),
        "flush_us": flushing.per_unit(count),
        "coming_cpu_ms": coming.per_unit(job.away, 1e3),
        "per_s": count / before.until(written).wall,
    }


def _write(stage: Stage, job: Job, writers: Sequence[Connection]) -> int:
    """Send the messages in turn to everybody; return how many."""
    recipients, run, sent = [stage.target.address(name) for name in away(job.away)], run_id(), 0
    while sent < job.messages:
        for writer in writers:
            numbers = range(sent, sent + AT_ONCE)
            writer.send(b"".join([chat(recipients[n % len(recipients)], b"%s-%d" % (run, n)) for n in numbers]))
            sent += AT_ONCE
        stage.barrier(writers, b"stored-%d" % sent)
    return sent
