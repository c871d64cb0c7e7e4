"""Making the accounts: the seed of every other scenario."""

from typing import Any

from ..job import Job
from ..negotiation import authenticated, registered
from ..stage import Stage
from .names import friends, users

BATCH = 500  # connections open at once


def everybody(job: Job) -> list[bytes]:
    """Return all accounts that the scenarios use: the job's sessions, and those with rosters."""
    return users(job.sessions) + friends(job.friends)


def register(stage: Stage, job: Job) -> dict[str, Any]:
    """Register everybody in band, one connection each (XEP-0077)."""
    names = everybody(job)
    before = stage.meter.read()
    for start in range(0, len(names), BATCH):
        stage.dismiss(stage.bring(names[start : start + BATCH], registered))
    stage.calm()
    usage = before.until(stage.meter.read())
    return {
        **usage.figures(),
        "unit": "account",
        "units": len(names),
        "cpu_ms": usage.per_unit(len(names), 1e3),
        "per_s": len(names) / usage.wall,
    }


def verify(stage: Stage, job: Job) -> dict[str, Any]:
    """Authenticate everybody once: the accounts work, and their PBKDF2 is paid before anything is measured."""
    names = everybody(job)
    for start in range(0, len(names), BATCH):
        stage.dismiss(stage.bring(names[start : start + BATCH], authenticated))
    return {"unit": "account", "units": len(names)}
