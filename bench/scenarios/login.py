"""Logins: connect, STARTTLS if asked, SCRAM, bind, initial presence, a ping as the barrier; all stay online."""

from typing import Any

from ..job import Job
from ..stage import Stage
from .names import users

WARM = 20


def login(stage: Stage, job: Job) -> dict[str, Any]:
    """Log `job.sessions` accounts in, 20 at a time; the cost is counted until the server is calm again."""
    stage.dismiss(stage.bring(users(min(WARM, job.sessions))))
    stage.calm()
    begin = stage.meter.read()
    sessions = stage.bring(users(job.sessions))
    online = stage.meter.read()
    stage.calm()
    settled = stage.meter.read()
    stage.unharmed()
    tls = sessions[0].tls()
    stage.dismiss(sessions)
    stage.calm()
    usage, whole, logout = begin.until(online), begin.until(settled), settled.until(stage.meter.read())
    return {
        **usage.figures(),
        "unit": "login",
        "units": job.sessions,
        "cpu_ms": whole.per_unit(job.sessions, 1e3),
        "logout_cpu_ms": logout.per_unit(job.sessions, 1e3),
        "per_s": job.sessions / usage.wall,
        "cipher": tls,
    }
