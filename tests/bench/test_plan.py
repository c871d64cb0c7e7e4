"""The plan: every figure has its run, every run its job, and runs can be chosen."""

from bench.job import Job
from bench.plan import BLOCKS, FIGURES, FULL, LABELS, QUICK, Run, chosen
from bench.scenarios import SCENARIOS


def test_every_figure_has_a_run() -> None:
    """A figure, and a goal that names a run, can be found in the plan."""
    for figure in FIGURES:
        assert figure.run in LABELS
        assert not isinstance(figure.goal, str) or figure.goal in LABELS


def test_every_run_is_a_job_of_a_scenario_that_exists() -> None:
    """In either size the options are ones that a job has."""
    for size in (FULL, QUICK):
        for run in (run for block in BLOCKS for run in block):
            job = Job(**run.job(size), port=1)
            assert job.scenario in SCENARIOS
            assert Job.load(job.dump()) == job


def test_the_accounts_are_enough_for_every_run() -> None:
    """Sessions, pairs with their crowd, and friends all find an account."""
    for size in (FULL, QUICK):
        crowd = Run("x", "msg", {"background": True}).job(size)
        assert size.accounts() >= crowd["background"] + 2 * crowd["pairs"]
        assert size.accounts() >= size.idle + 50
        assert size.accounts() >= size.logins


def test_the_full_size_is_the_one_that_the_goals_are_for() -> None:
    """Fifty pairs, three thousand idle sessions and as many in the crowd, a hundred friends with fifty contacts."""
    assert (FULL.pairs, FULL.idle, FULL.background, FULL.friends, FULL.contacts) == (50, 3000, 3000, 100, 50)


def test_runs_are_chosen_by_label_or_by_scenario() -> None:
    """`--only msg` has every run of messages; `--only msg-tls` the one; empty blocks are left out."""
    assert [run.label for block in chosen(["msg-tls", "presence"]) for run in block] == ["msg-tls", "presence"]
    assert {run.scenario for block in chosen(["msg"]) for run in block} == {"msg"}
    assert chosen([]) == list(BLOCKS)
    assert chosen(["nothing"]) == []
