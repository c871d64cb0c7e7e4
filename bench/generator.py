"""The load generator: one scenario against one server, one line of JSON on standard output.

``python -m bench.generator '{"scenario": "msg", "port": 5222, "pid": 4711}'``; the keys are those of `bench.job.Job`.
Standard library only.
"""

import gc
import json
import resource
import statistics
import sys
from pathlib import Path
from typing import Any

from .dialogue import NegotiationError
from .job import Job
from .meter import Meter, calibrate
from .negotiation import Target, trusting_context
from .scenarios import SCENARIOS
from .scram import SaltedPasswords
from .stage import Stage


def allow_many_files() -> None:
    """Raise the limit of open files as far as we may: a session is a file."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def target_of(job: Job) -> Target:
    """Return whom the job is about."""
    return Target(
        job.host,
        job.port,
        job.domain.encode(),
        trusting_context() if job.tls else None,
        job.mechanism,
        salted=SaltedPasswords(Path(job.salts) if job.salts else None),
    )


def perform(job: Job) -> dict[str, Any]:
    """Run the job; return its figures, or what went wrong under `error`."""
    target = target_of(job)
    calibrations = [calibrate() for _ in range(3)]
    try:
        figures = SCENARIOS[job.scenario](Stage(target, Meter(job.pid, job.database)), job)
    except NegotiationError as error:
        figures = {"error": str(error)}
    target.salted.save()
    calibrations += [calibrate() for _ in range(3)]
    return {"scenario": job.scenario, "tls": job.tls, **figures, "calibration_ms": statistics.median(calibrations)}


def rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures with floats of four decimals: more would be noise."""
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in figures.items()}


def main() -> int:
    """Run the job given as the only argument."""
    allow_many_files()
    gc.disable()  # runs are short and nothing of ours is cyclic; a collection would only disturb the timing
    figures = rounded(perform(Job.load(sys.argv[1])))
    print(json.dumps(figures))
    return 1 if "error" in figures else 0


if __name__ == "__main__":
    sys.exit(main())
