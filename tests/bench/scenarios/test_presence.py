"""Presence among friends."""

from typing import Any

import pytest

from bench.dialogue import NegotiationError
from bench.scenarios.presence import presence

from .stage import JOB, Stage


class Hub(Stage):
    """A server that tells each presence to the others, and to the sender too if it `echoes`."""

    def __init__(self, echoes: bool, loses: bool = False) -> None:
        super().__init__()
        self.echoes = echoes
        self.loses = loses
        self.deliver = self.pass_on

    def pass_on(self) -> None:
        for sender in self.wires:
            sent, sender.sent = sender.sent, b""
            for wire in self.wires:
                if wire.receive is not None and (wire is not sender or self.echoes) and not self.loses:
                    wire.receive(sent)


@pytest.mark.parametrize("echoes", [False, True])
def test_one_s_own_presence_is_counted_where_the_server_sends_it_back(echoes: bool) -> None:
    """The first turn shows whether it does; it is no part of the measurement."""
    stage: Any = Hub(echoes)
    figures = presence(stage, JOB)
    each_turn = 3 * 2 + (3 if echoes else 0)
    assert figures["units"] == JOB.turns * each_turn
    assert figures["lost"] == 0
    assert figures["cpu_us"] == 1e6 / figures["units"]
    assert stage.said[-2:] == ["unharmed", "dismiss 3"]


def test_a_server_that_delivers_nothing() -> None:
    """There is nothing to measure."""
    stage: Any = Hub(echoes=False, loses=True)
    with pytest.raises(NegotiationError, match="0 presences arrived of 6"):
        presence(stage, JOB)
