"""A test whose service is missing: listed with its remedy, or failed where the service is required."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

TESTS = """
import pytest
from tests.services import ServiceMissing

@pytest.fixture
def broker():
    raise ServiceMissing("broker", "sudo apt-get install broker")

def test_needs_it(broker): ...
def test_finds_out_later(): raise ServiceMissing("broker", "sudo apt-get install broker")
def test_needs_nothing(): ...
"""


def run(folder: Path, require: str) -> subprocess.CompletedProcess[str]:
    """Run TESTS in a pytest of its own, with the house's conftest as a plugin."""
    (folder / "test_it.py").write_text(TESTS)
    command = (sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(folder), str(folder))
    environment = {**os.environ, "XMPPD_TEST_REQUIRE": require}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_missing_service_is_listed_with_its_remedy(tmp_path: Path) -> None:
    """The run succeeds, and says which tests were not run and how to run them."""
    done = run(tmp_path, require="")

    assert done.returncode == 0, done.stdout
    assert "1 passed, 2 skipped" in done.stdout
    assert "2 tests need broker. To run them: sudo apt-get install broker" in done.stdout
    assert "test_it.py::test_finds_out_later" in done.stdout


def test_required_service_fails(tmp_path: Path) -> None:
    """Where everything is required, or this service by name, its tests fail."""
    for require in ("all", "memory,broker"):
        done = run(tmp_path, require)

        assert done.returncode == 1
        assert "1 failed, 1 passed, 1 error" in done.stdout


def test_other_service_may_be_missing(tmp_path: Path) -> None:
    """Requiring one service leaves the others optional."""
    assert run(tmp_path, require="memory").returncode == 0
