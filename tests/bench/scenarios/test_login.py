"""What a login costs."""

from typing import Any

from bench.scenarios.login import login

from .stage import JOB, Stage


def test_a_login_is_paid_until_the_server_is_calm_again() -> None:
    """A few warm up; logouts are counted for themselves; what TLS was spoken is told."""
    stage: Any = Stage()
    figures = login(stage, JOB)
    assert stage.said == [
        "bring 4 online", "dismiss 4", "calm", "bring 4 online", "calm", "unharmed", "dismiss 4", "calm",
    ]  # fmt: skip
    assert figures["cpu_ms"] == 2 * 1000 / 4, "from the first login to the calm"
    assert figures["logout_cpu_ms"] == 1000 / 4
    assert figures["per_s"] == 4.0
    assert figures["cipher"] == "TLSv1.3 a cipher"
