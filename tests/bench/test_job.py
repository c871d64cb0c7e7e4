"""What one run is told to do, as one line between two processes."""

import pytest

from bench.job import Job
from bench.plan import BLOCKS, QUICK
from bench.scenarios import SCENARIOS


def test_a_job_survives_the_command_line() -> None:
    """One line of JSON, read again as it was."""
    job = Job("msg", 5222, pid=4711, tls=True, window=1)
    assert "\n" not in job.dump()
    assert Job.load(job.dump()) == job


def test_an_unknown_key_is_refused() -> None:
    """A misspelt option would measure something else."""
    with pytest.raises(TypeError, match="windw"):
        Job.load('{"scenario": "msg", "port": 5222, "windw": 1}')


def test_every_run_of_the_plan_is_a_job() -> None:
    """Its options are those that jobs have, and its scenario exists."""
    for run in (run for block in BLOCKS for run in block.runs):
        assert Job(port=5222, **run.job(QUICK)).scenario in SCENARIOS
