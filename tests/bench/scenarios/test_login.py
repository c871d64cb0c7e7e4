"""What a login costs."""

from collections.abc import Callable
from typing import Any

import pytest

from bench.scenarios.login import login, login_fast, login_sasl2

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


@pytest.mark.parametrize(
    ("scenario", "first", "then"), [(login_sasl2, "by_password", "by_password"), (login_fast, "for_token", "by_token")]
)
def test_who_returns_has_been_there(scenario: Callable[..., dict[str, Any]], first: str, then: str) -> None:
    """Everybody comes and goes before anything is measured: clients are known then, and have their tokens."""
    stage: Any = Stage()
    figures = scenario(stage, JOB)
    assert stage.said[:3] == [f"bring 4 {first}", "dismiss 4", "calm"]
    assert [word for word in stage.said[3:] if "bring" in word] == [f"bring 4 {then}"] * 2
    assert figures["cpu_ms"] == 2 * 1000 / 4
