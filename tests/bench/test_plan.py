"""The plan: every figure has its run, every run its job, and runs can be chosen."""

from bench.job import Job
from bench.plan import BLOCKS, FIGURES, FULL, LABELS, OURSELVES, QUICK, Run, block_of, chosen
from bench.scenarios import SCENARIOS
from bench.scenarios.names import archivists, away
from bench.servers import SERVERS
from bench.task import Task


def test_every_figure_has_a_run() -> None:
    """A figure, and a goal that names a run, can be found in the plan; whose it is takes part in that run's task."""
    for figure in FIGURES:
        assert figure.run in LABELS
        assert figure.ours in OURSELVES
        assert block_of(figure.run).task in SERVERS[figure.ours].tasks
        assert not isinstance(figure.goal, str) or figure.goal in LABELS


def test_every_run_is_a_job_of_a_scenario_that_exists() -> None:
    """In either size the options are ones that a job has."""
    for size in (FULL, QUICK):
        for run in (run for block in BLOCKS for run in block.runs):
            job = Job(**run.job(size), port=1)
            assert job.scenario in SCENARIOS
            assert Job.load(job.dump()) == job


def test_the_accounts_are_enough_for_every_run() -> None:
    """Sessions, pairs with their crowd, and friends all find an account."""
    for size in (FULL, QUICK):
        crowd = Run("x", "msg", {"background": True}).job(size)
        assert size.accounts({Task.RELAY}) >= crowd["background"] + 2 * crowd["pairs"]
        assert size.accounts({Task.RELAY}) >= size.idle + 50
        assert size.accounts({Task.RELAY}) >= size.logins
        assert size.accounts({Task.RETURN}) == size.logins


def test_whoever_is_away_or_reads_an_archive_has_an_account() -> None:
    """So has each of the pairs; nobody reads the archive of somebody who was away."""
    for size in (FULL, QUICK):
        known = {b"user%d" % number for number in range(size.accounts({Task.STORE}))}
        assert {*away(size.away), *archivists(size.away)} <= known
        assert not set(away(size.away)) & set(archivists(size.away))
        assert len(known) >= 2 * size.pairs
        assert size.accounts(frozenset(Task)) >= len(known)


def test_the_full_size_is_the_one_that_the_goals_are_for() -> None:
    """Fifty pairs, three thousand idle sessions and as many in the crowd, a hundred friends with fifty contacts."""
    assert (FULL.pairs, FULL.idle, FULL.background, FULL.friends, FULL.contacts) == (50, 3000, 3000, 100, 50)


def test_runs_are_chosen_by_label_or_by_scenario() -> None:
    """`--only msg` has every run of messages; `--only msg-tls` the one; empty blocks are left out."""
    assert [run.label for block in chosen(["msg-tls", "presence"]) for run in block.runs] == ["msg-tls", "presence"]
    assert {run.scenario for block in chosen(["msg"]) for run in block.runs} == {"msg"}
    assert chosen([]) == list(BLOCKS)
    assert chosen(["nothing"]) == []


def test_a_run_keeps_its_task_when_it_is_alone() -> None:
    """A profile of archived messages is one of a server that archives."""
    block = block_of("msg-mam-tls")
    assert [run.label for run in block.runs] == ["msg-mam-tls"]
    assert block.task is Task.STORE
    assert block_of("msg").task is Task.RELAY


def test_no_label_is_used_twice() -> None:
    """A record is known by its label."""
    assert len(set(LABELS)) == len(LABELS)
