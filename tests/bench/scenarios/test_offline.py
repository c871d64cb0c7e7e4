"""Messages for those who are away."""

from dataclasses import replace
from typing import Any

import pytest

from bench.dialogue import NegotiationError
from bench.scenarios.offline import offline

from .stage import JOB, Stage

TOLD = replace(JOB, away=3, messages=200)


class Store(Stage):
    """A server that keeps what is sent, and gives it to whoever comes online; it `loses` some."""

    def __init__(self, loses: int = 0) -> None:
        super().__init__()
        self.loses = loses
        self.kept: dict[bytes, list[bytes]] = {}
        self.deliver = self.pass_on

    def pass_on(self) -> None:
        for wire in self.wires:
            sent, wire.sent = wire.sent, b""
            for message in sent.split(b"</message>")[:-1]:
                self.kept.setdefault(message.split(b"to='")[1].split(b"@")[0], []).append(message)
            if b"<presence/>" in sent:
                wire.receive(b"".join(self.kept.pop(wire.name, [])[self.loses :]))


def test_storing_and_delivery_are_paid_but_not_the_logins() -> None:
    """A visit for nothing is measured first; between two readings of this meter a second passes, whatever happens."""
    stage: Any = Store()
    figures = offline(stage, TOLD)
    assert (figures["unit"], figures["units"], figures["lost"]) == ("message", 200, 0)
    assert figures["store_us"] == 2 * 1e6 / 200
    assert figures["flush_us"] == 0.0
    assert figures["cpu_us"] == figures["store_us"] + figures["flush_us"]
    assert figures["coming_cpu_ms"] == 1000 / 3
    assert [word for word in stage.said if word.startswith("bring")] == ["bring 10 online", *["bring 3 bound"] * 3]
    assert stage.said[-1] == "dismiss 10"
    assert sum(word.startswith("barrier") for word in stage.said) == 2, "ten messages of each sender, then a barrier"


def test_what_does_not_come_is_lost() -> None:
    """It is told; if nothing comes there is no figure."""
    stage: Any = Store(loses=1)
    assert offline(stage, TOLD)["lost"] == 3
    stage = Store(loses=1000)
    with pytest.raises(NegotiationError, match="no message arrived"):
        offline(stage, TOLD)
