"""Waiting for a program: woken by what it does to its files, and by its end."""

import sys
from pathlib import Path

import pytest

from .process import Process


def python(folder: Path, program: str) -> Process:
    """Run a program of a few lines."""
    return Process((sys.executable, "-c", program), folder)


def test_what_it_says(tmp_path: Path) -> None:
    """Its output is a file of the folder."""
    with python(tmp_path, "print('ready', flush=True); import signal; signal.pause()") as process:
        process.until(lambda: "ready" in process.stdout, "it was ready")
        assert process.is_running


def test_a_file_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """A folder that comes to be is watched before it is looked into."""
    program = "import os, signal; os.makedirs('a/b'); open('a/b/c', 'w').close(); signal.pause()"
    with python(tmp_path, program) as process:
        process.until((tmp_path / "a" / "b" / "c").exists, "it made its file")


def test_a_file_that_goes(tmp_path: Path) -> None:
    """What a program removes is noticed as well."""
    mark = tmp_path / "mark"
    mark.touch()
    with python(tmp_path, "import os, signal; os.remove('mark'); signal.pause()") as process:
        process.until(lambda: not mark.exists(), "it removed the mark")


def test_its_last_words(tmp_path: Path) -> None:
    """What it did before it ended counts."""
    with python(tmp_path, "print('done')") as process:
        process.until(lambda: "done" in process.stdout, "it was done")


@pytest.mark.parametrize("reaped", [False, True])
def test_it_ends_too_early(tmp_path: Path, reaped: bool) -> None:
    """The failure says how it ended, and what it complained of."""
    with python(tmp_path, "raise SystemExit('no luck')") as process:
        if reaped:
            assert process.ends() == 1
        with pytest.raises(AssertionError, match="it ended with 1 before it was ready:\nno luck"):
            process.until(lambda: False, "it was ready")


def test_it_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait is given up in the end."""
    monkeypatch.setattr("tests.e2e.process.HANG", 0.0)
    with (
        python(tmp_path, "import signal; signal.pause()") as process,
        pytest.raises(AssertionError, match="it hangs before it was ready"),
    ):
        process.until(lambda: False, "it was ready")


def test_how_it_is_told(tmp_path: Path) -> None:
    """SIGTERM ends it in good order, and its exit code is there."""
    program = (
        "import signal; signal.signal(signal.SIGTERM, lambda *_: exit(3)); print('up', flush=True); signal.pause()"
    )
    with python(tmp_path, program) as process:
        process.until(lambda: "up" in process.stdout, "it was up")
        assert process.stop() == 3
        assert process.stderr == ""
