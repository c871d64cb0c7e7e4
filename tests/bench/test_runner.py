"""The order of a benchmark, and what becomes of a server that does not start."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import runner
from bench.plan import QUICK, Block, Run
from bench.runner import Course, Laboratory, SeedError, cost, follow, generate
from bench.servers import Instance, Server, StartError
from bench.servers.base import Setting
from bench.task import Task

BLOCKS = [
    Block(Task.RELAY, (Run("login", "login"), Run("idle", "idle"))),
    Block(Task.RELAY, (Run("msg", "msg"),)),
]
KEEPING = Block(Task.STORE, (Run("msg-mam", "msg"),))


class Pretended(Server):
    """A server that is only pretended to run."""

    needs = (sys.executable,)
    data_format = "pretended"

    def __init__(self, name: str, starts: bool = True, tasks: Collection[Task] = (Task.RELAY,)) -> None:
        self.name = name  # type: ignore[misc]
        self.tasks = frozenset(tasks)  # type: ignore[misc]
        self.starts = starts
        self.started = 0
        self.kept: list[bool] = []

    def version(self) -> str:
        return "1.0"

    def command(self, setting: Setting) -> list[str]:
        raise NotImplementedError

    @contextmanager
    def running(self, folder: Path, data: Path, *_: Any, keeps: bool = False) -> Iterator[Instance]:
        data.mkdir(parents=True, exist_ok=True)
        self.started += 1
        self.kept.append(keeps)
        if self.started > 1 and not self.starts:
            raise StartError("no")
        yield Instance(1, 5222, 7)


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every job that the generator would have got."""
    jobs: list[dict[str, Any]] = []

    def pretend(options: dict[str, Any], limit: float = 0.0) -> dict[str, Any]:
        jobs.append(options)
        if options["scenario"] == "register":
            Path(options["salts"]).write_text("{}")
        return {"unit": "account", "units": 1, "cpu_us": 1.0}

    monkeypatch.setattr(runner, "generate", pretend)
    return jobs


def laboratory(folder: Path, cache: Path | None = None) -> Laboratory:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return Laboratory(work, cache, QUICK, lambda text: None)


def test_servers_take_turns_at_every_block(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """What is compared runs side by side in time: round, then block, then server."""
    course = Course([Pretended("a"), Pretended("b")], BLOCKS, 2, 600.0)
    records = list(follow(course, laboratory(tmp_path), print))
    one_round = [("a", "login"), ("a", "idle"), ("b", "login"), ("b", "idle"), ("a", "msg"), ("b", "msg")]
    assert [(record["server"], record["run"]) for record in records] == one_round * 2
    assert [record["round"] for record in records] == [1] * 6 + [2] * 6


def test_a_block_is_one_start_on_a_copy_of_the_seed(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """One start for the seed and one a block; the folders of a block are removed behind it."""
    server = Pretended("a")
    list(follow(Course([server], BLOCKS, 1, 600.0), laboratory(tmp_path), print))
    assert server.started == 3
    assert {path.name for path in (tmp_path / "work").iterdir() if path.is_dir()} == {"seed-a"}


def test_a_server_takes_part_in_its_own_tasks_only(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """One that takes part in nothing is not even seeded; messages are kept where that is the task."""
    both, relay, idler = Pretended("a", tasks=list(Task)), Pretended("b"), Pretended("c", tasks=())
    records = list(follow(Course([both, relay, idler], [*BLOCKS[1:], KEEPING], 1, 600.0), laboratory(tmp_path), print))
    assert [(record["server"], record["run"]) for record in records] == [("a", "msg"), ("b", "msg"), ("a", "msg-mam")]
    assert both.kept == [False, False, True], "the seed, then the two blocks"
    assert idler.started == 0


def test_a_seed_has_what_the_tasks_need(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """Whoever only keeps messages needs neither rosters nor thousands of accounts."""
    laboratory(tmp_path).seed(Pretended("a", tasks=[Task.STORE]))
    assert [job["scenario"] for job in generated] == ["register", "verify"]
    assert {job["sessions"] for job in generated} == {QUICK.accounts([Task.STORE])}


def test_the_database_is_counted(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """The generator is told both processes."""
    list(follow(Course([Pretended("a")], BLOCKS[1:], 1, 600.0), laboratory(tmp_path), print))
    assert (generated[-1]["pid"], generated[-1]["database"]) == (1, 7)


def test_nothing_starts_when_time_is_up(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """The budget bounds a run."""
    said: list[str] = []
    assert list(follow(Course([Pretended("a")], BLOCKS, 3, 0.0), laboratory(tmp_path), said.append)) == []
    assert said == ["out of time in round 1"]


def test_a_server_that_does_not_start_fails_its_block_only(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """Each of its runs is recorded as failed; the other server goes on."""
    course = Course([Pretended("a", starts=False), Pretended("b")], BLOCKS[:1], 1, 600.0)
    records = list(follow(course, laboratory(tmp_path), print))
    assert ["error" in record for record in records] == [True, True, False, False]
    assert "did not start: no" in records[0]["error"]


def test_a_seed_is_kept_by_server_version_and_size(tmp_path: Path, generated: list[dict[str, Any]]) -> None:
    """The second benchmark does not register anybody."""
    cache = tmp_path / "cache"
    laboratory(tmp_path, cache).seed(Pretended("a"))
    made = len(generated)
    seed = laboratory(tmp_path, cache).seed(Pretended("a"))
    assert len(generated) == made == 3
    assert seed.data == cache / "pretended-quick" / "1.0" / "data"
    assert seed.salts.exists()


def test_a_seed_of_another_version_is_replaced(
    tmp_path: Path, generated: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One seed a format and size is kept."""
    cache = tmp_path / "cache"
    laboratory(tmp_path, cache).seed(Pretended("a"))
    monkeypatch.setattr(Pretended, "version", lambda self: "2.0")
    laboratory(tmp_path, cache).seed(Pretended("b"))
    assert [path.name for path in (cache / "pretended-quick").iterdir()] == ["2.0"]


def test_a_seed_of_changed_sources_is_not_kept(
    tmp_path: Path, generated: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its data may have the format of a minute ago."""
    monkeypatch.setattr(Pretended, "version", lambda self: "abc1234-dirty")
    laboratory(tmp_path, tmp_path / "cache").seed(Pretended("a"))
    assert not (tmp_path / "cache").exists()


def test_a_seed_that_fails_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without accounts there is nothing to measure."""
    monkeypatch.setattr(runner, "generate", lambda *_: {"error": "closed"})
    with pytest.raises(SeedError, match="a, register: closed"):
        laboratory(tmp_path).seed(Pretended("a"))


def test_a_generator_that_fails_is_an_error_of_the_run() -> None:
    """Its last words are kept: here nobody listens on the port."""
    assert "Connection refused" in generate({"scenario": "login", "port": 1, "sessions": 1})["error"]


def test_cost_in_words() -> None:
    """Whatever unit the figures have."""
    assert cost({"cpu_us": 12.345, "per_s": 1}) == ", 12.3 µs each"
    assert cost({"kib": 9.0}) == ", 9 KiB each"
