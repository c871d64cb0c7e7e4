"""Idle sessions: what one more of them weighs, and what all of them cost while nothing happens."""

from typing import Any

from ..job import Job
from ..stage import Stage
from .names import users

WARM = 50
WATCHED = 3.0  # seconds of watching the idle server


def idle(stage: Stage, job: Job) -> dict[str, Any]:
    """Bring `job.sessions` online after a few as warm-up, let the server rest, and compare resident memory."""
    warm = stage.bring(users(WARM))
    stage.calm()
    stage.loop.run(1.0)
    empty = stage.meter.resident()
    sessions = stage.bring(users(job.sessions, first=WARM))
    stage.calm()
    at_once = stage.meter.resident()
    stage.loop.run(job.settle)
    full = stage.meter.resident()
    before = stage.meter.read()
    stage.loop.run(WATCHED)
    usage = before.until(stage.meter.read())
    stage.unharmed()
    stage.dismiss(warm + sessions)
    return {
        **usage.figures(),
        "unit": "session",
        "units": job.sessions,
        "kib": (full - empty) / job.sessions,
        "kib_at_once": (at_once - empty) / job.sessions,
        "empty_kib": empty,
    }
