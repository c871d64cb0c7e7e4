"""Rosters, made through the protocol."""

from typing import Any

import pytest

from bench.dialogue import NegotiationError
from bench.scenarios.rosters import rosters

from .stage import JOB, Stage


class Registry(Stage):
    """A server that answers the request for a roster with so many mutual contacts."""

    def __init__(self, mutual: int) -> None:
        super().__init__()
        self.mutual = mutual
        self.deliver = self.answer

    def answer(self) -> None:
        if self.wires[0].receive is not None:
            items = b"<item subscription='both'/>" * self.mutual
            self.wires[0].receive(b"<iq id='roster'><query xmlns='jabber:iq:roster'>%s</query></iq>" % items)


def test_everybody_asks_and_everybody_agrees() -> None:
    """Column by column, all requests before the first consent; a barrier behind each."""
    stage: Any = Registry(2)
    figures = rosters(stage, JOB)
    assert [word for word in stage.said if word.startswith("barrier")] == [
        "barrier subscribe-0", "barrier subscribe-1", "barrier subscribed-0", "barrier subscribed-1",
    ]  # fmt: skip
    assert (figures["unit"], figures["units"]) == ("subscription", 6)
    first = stage.wires[0].sent.decode()
    for friend in ("friend1", "friend2"):
        assert f"<presence type='subscribe' to='{friend}@localhost'/>" in first
        assert f"<presence type='subscribed' to='{friend}@localhost'/>" in first


def test_a_roster_that_is_not_whole() -> None:
    """What stands on it would be measured wrongly."""
    stage: Any = Registry(1)
    with pytest.raises(NegotiationError, match="has 1 mutual contacts, not 2"):
        rosters(stage, JOB)
