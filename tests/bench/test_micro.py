"""The micro benchmarks: their arithmetic, and that what they measure works."""

import json
from pathlib import Path

import pytest

from bench import micro


def test_the_time_of_one_operation_is_the_best_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count grows until a repetition is long enough; then the fastest counts."""
    spent = iter([0.01, 0.2, 0.2, 0.1, 0.3])
    counts: list[int] = []

    def timed(repeat: object, count: int) -> float:
        counts.append(count)
        return next(spent)

    monkeypatch.setattr(micro, "timed", timed)
    assert micro.microseconds(lambda count: None, 0.1, repetitions=3) == pytest.approx(0.1 / 11 * 1e6)
    assert counts == [1, 11, 11, 11, 11]


def test_every_operation_works(tmp_path: Path) -> None:
    """Each is performed a few times: parsing, writing, addresses, hooks, TLS."""
    operations = [*micro.protocol(), *micro.addresses(), *micro.hooks(), *micro.tls(tmp_path)]
    for operation in operations:
        operation.repeat(3)
    assert len({operation.name for operation in operations}) == len(operations)


def test_figures_are_kept_by_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run of a commit replaces its first; others stay."""
    monkeypatch.setattr(micro, "STORE", tmp_path / "micro.json")
    assert micro.stored() == []
    for commit, cost in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        micro.save(commit, {"parse": cost})
    assert [(entry["commit"], entry["us"]["parse"]) for entry in micro.stored()] == [("b", 2.0), ("a", 3.0)]
    assert json.loads((tmp_path / "micro.json").read_text()) == micro.stored()


def test_the_table_compares_with_an_earlier_commit() -> None:
    """The ratio is now to then; an operation that is new has none."""
    grid = micro.table("b", {"parse": 3.0, "new": 1.0}, {"commit": "a", "us": {"parse": 2.0}})
    assert list(grid.columns[3].cells) == ["1.50", ""]
