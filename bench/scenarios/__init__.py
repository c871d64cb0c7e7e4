"""The scenarios: each takes the stage and the job, and returns its figures.

`cpu_us`, `cpu_ms` and `kib` are the server's cost for one unit of work, its database's included; `server_us` and
`database_us` are the parts where it has one. `per_s` is what this machine did meanwhile.
"""

from collections.abc import Callable
from typing import Any

from ..job import Job
from ..stage import Stage
from .accounts import register, verify
from .idle import idle
from .latency import latency
from .login import login, login_fast, login_sasl2
from .mam import mam
from .messages import messages
from .offline import offline
from .presence import presence
from .rosters import rosters
from .smacks import smacks

SCENARIOS: dict[str, Callable[[Stage, Job], dict[str, Any]]] = {
    "register": register,
    "verify": verify,
    "roster": rosters,
    "login": login,
    "login-sasl2": login_sasl2,
    "login-fast": login_fast,
    "idle": idle,
    "msg": messages,
    "smacks": smacks,
    "latency": latency,
    "offline": offline,
    "mam": mam,
    "presence": presence,
}
