"""What an idle session weighs."""

from typing import Any

from bench.scenarios.idle import WARM, idle

from .stage import JOB, Stage


def test_memory_is_compared_before_and_behind_the_logins() -> None:
    """Some sessions warm the server up first, and do not count."""
    stage: Any = Stage()
    figures = idle(stage, JOB)
    assert stage.said == ["bring 50 online", "calm", "bring 4 online", "calm", "unharmed", f"dismiss {WARM + 4}"]
    assert {wire.name for wire in stage.wires[WARM:]} == {b"user50", b"user51", b"user52", b"user53"}
    assert (figures["empty_kib"], figures["kib_at_once"], figures["kib"]) == (100, 100 / 4, 200 / 4)
