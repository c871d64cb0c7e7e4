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


def offline(stage: Stage, job: Job) -> dict[str, Any]:
    """Send `job.messages` to `job.away` users who are away, and let them come; less what coming costs anyway."""
    writers = stage.bring(senders())
    visit(stage, job, 0)  # whatever waited does so no longer, and the server is warm
    coming, _ = visit(stage, job, 0)
    before = stage.meter.read()
    count = _write(stage, job, writers)
    seconds = before.until(stage.meter.read()).wall
    stage.calm()
    storing = before.until(stage.meter.read())
    usage, delivered = visit(stage, job, count)
    stage.dismiss(writers)
    if not delivered:
        raise NegotiationError("no message arrived")
    return {
        **_figures(storing, usage.less(coming), count),
        "lost": count - delivered,
        "coming_cpu_ms": coming.per_unit(job.away, 1e3),
        "per_s": count / seconds,
    }


def visit(stage: Stage, job: Job, expected: int) -> tuple[Usage, int]:
    """Let everybody who was away come, get so many messages in all, and go again.

    Returns what that cost, until the server is calm behind the last logout, and how many messages came.
    """
    counters = [Counter(END_OF_BODY) for _ in range(job.away)]
    before = stage.meter.read()
    sessions = stage.bring(away(job.away), bound)
    for session, counter in zip(sessions, counters, strict=True):
        session.receive = counter.feed  # type: ignore[assignment]  # its result is of no use here
        session.send(b"<presence/>")
    stage.loop.until(lambda: sum(counter.total for counter in counters) >= expected, PATIENCE)
    stage.calm()
    stage.unharmed()
    stage.dismiss(sessions)
    stage.calm()
    return before.until(stage.meter.read()), sum(counter.total for counter in counters)


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


def _figures(storing: Usage, flushing: Usage, count: int) -> dict[str, Any]:
    return {
        **storing.figures(),
        "unit": "message",
        "units": count,
        **storing.plus(flushing).cost(count),
        "store_us": storing.per_unit(count),
        "flush_us": flushing.per_unit(count),
    }
