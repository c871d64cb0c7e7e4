"""Logins: connect, STARTTLS if asked, SCRAM, bind, initial presence, a ping as the barrier; all stay online.

`login_sasl2` and `login_fast` are logins of clients that have been there before, by one request each.
"""

from typing import Any

from ..job import Job
from ..negotiation import online
from ..one_request import by_password, by_token, for_token
from ..stage import Scripted, Stage
from .names import users

WARM = 20


def login(stage: Stage, job: Job) -> dict[str, Any]:
    """Log `job.sessions` accounts in, 20 at a time; the cost is counted until the server is calm again."""
    return log_in(stage, job, online)


def login_sasl2(stage: Stage, job: Job) -> dict[str, Any]:
    """Log known clients in by SCRAM within SASL2, a resource bound with it (XEP-0388, XEP-0386)."""
    visit(stage, job, by_password)
    return log_in(stage, job, by_password)


def login_fast(stage: Stage, job: Job) -> dict[str, Any]:
    """Log clients in by the tokens that they were given before (XEP-0484)."""
    visit(stage, job, for_token)
    return log_in(stage, job, by_token)


def visit(stage: Stage, job: Job, script: Scripted) -> None:
    """Let everybody come once and go again, so that the server knows their clients."""
    stage.dismiss(stage.bring(users(job.sessions), script))
    stage.calm()


def log_in(stage: Stage, job: Job, script: Scripted) -> dict[str, Any]:
    """Log everybody in by that script, a few as warm-up first."""
    stage.dismiss(stage.bring(users(min(WARM, job.sessions)), script))
    stage.calm()
    begin = stage.meter.read()
    sessions = stage.bring(users(job.sessions), script)
    there = stage.meter.read()
    stage.calm()
    settled = stage.meter.read()
    stage.unharmed()
    tls = sessions[0].tls()
    stage.dismiss(sessions)
    stage.calm()
    usage, whole, logout = begin.until(there), begin.until(settled), settled.until(stage.meter.read())
    return {
        **usage.figures(),
        "unit": "login",
        "units": job.sessions,
        "cpu_ms": whole.per_unit(job.sessions, 1e3),
        "logout_cpu_ms": logout.per_unit(job.sessions, 1e3),
        "per_s": job.sessions / usage.wall,
        "cipher": tls,
    }
