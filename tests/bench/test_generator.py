"""The generator: one job in, one line of figures out."""

import json
import resource
import ssl
from pathlib import Path
from typing import Any

import pytest

from bench import generator
from bench.dialogue import NegotiationError
from bench.job import Job

JOB = Job("pretended", 5222, domain="capulet.example")


@pytest.fixture
def scenario(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the scenario will yield, or raise as `fault`."""
    outcome: dict[str, Any] = {}

    def play(stage: Any, job: Job) -> dict[str, Any]:
        stage.target.salted("sha1", b"pencil", b"salt", 1)
        if "fault" in outcome:
            raise outcome["fault"]
        return {"units": 3, "cpu_us": 1.234567}

    monkeypatch.setitem(generator.SCENARIOS, "pretended", play)
    monkeypatch.setattr(generator, "calibrate", lambda: 12.0)
    return outcome


def test_whom_the_job_is_about(tmp_path: Path) -> None:
    """With TLS only if it says so, and then whatever certificate there is."""
    plain = generator.target_of(JOB)
    assert (plain.host, plain.port, plain.domain, plain.tls) == ("127.0.0.1", 5222, b"capulet.example", None)
    secure = generator.target_of(Job("msg", 5223, tls=True, salts=str(tmp_path / "salts")))
    assert secure.tls is not None
    assert secure.tls.verify_mode is ssl.CERT_NONE


def test_figures(scenario: dict[str, Any]) -> None:
    """Those of the scenario, and how fast this machine was around it."""
    assert generator.perform(JOB) == {
        "scenario": "pretended", "tls": False, "units": 3, "cpu_us": 1.234567, "calibration_ms": 12.0,
    }  # fmt: skip


def test_salts_are_kept_though_a_scenario_fails(scenario: dict[str, Any], tmp_path: Path) -> None:
    """The error is a figure; what was derived so far need not be derived again."""
    scenario["fault"] = NegotiationError("refused")
    salts = tmp_path / "salts"
    found = generator.perform(Job("pretended", 5222, salts=str(salts)))
    assert found["error"] == "refused"
    assert len(json.loads(salts.read_text())) == 1


def test_floats_are_rounded() -> None:
    """More digits would be noise; what is no float stays."""
    assert generator.rounded({"a": 1.23456, "b": 7, "c": "x"}) == {"a": 1.2346, "b": 7, "c": "x"}


@pytest.mark.parametrize(("fault", "status"), [(None, 0), (NegotiationError("no"), 1)])
def test_the_line(
    scenario: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Exception | None,
    status: int,
) -> None:
    """One line on standard output, and a status that tells failures."""
    if fault is not None:
        scenario["fault"] = fault
    monkeypatch.setattr(generator.gc, "disable", lambda: None)
    monkeypatch.setattr(generator.sys, "argv", ["generator", JOB.dump()])
    assert generator.main() == status
    (line,) = capsys.readouterr().out.splitlines()
    assert ("error" in json.loads(line)) == bool(status)


def test_files() -> None:
    """A session is a file: the limit is as high as it may be."""
    generator.allow_many_files()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == hard
