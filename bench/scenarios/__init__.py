"""The scenarios: each takes the stage and the job, and returns its figures.

`cpu_us`, `cpu_ms` and `kib` are the server's cost for one unit of work; `per_s` is what this machine did meanwhile.
"""

from collections.abc import Callable
from typing import Any

from ..job import Job
from ..stage import Stage
from .accounts import register, verify
from .idle import idle
from .latency import latency
from .login import login
from .messages import messages
from .presence import presence
from .rosters import rosters

SCENARIOS: dict[str, Callable[[Stage, Job], dict[str, Any]]] = {
    "register": register,
    "verify": verify,
    "roster": rosters,
    "login": login,
    "idle": idle,
    "msg": messages,
    "latency": latency,
    "presence": presence,
}
