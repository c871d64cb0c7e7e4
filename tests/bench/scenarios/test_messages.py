"""Messages with a fixed number in flight."""

from typing import Any

import pytest

from bench.dialogue import NegotiationError
from bench.scenarios.messages import Flow, messages

from .stage import JOB, Stage, Wire


def test_a_message_leaves_for_each_that_arrives() -> None:
    """The window stays full until the flow ends; ids never repeat."""
    sender: Any = Wire()
    recipient: Any = Wire()
    flow = Flow(sender, b"juliet@localhost", recipient)
    flow.push(2)
    recipient.receive(b"<body>a</body><body>b</bo")
    assert flow.sent == 3
    flow.flowing = False
    recipient.receive(b"dy>")
    assert (flow.sent, flow.arrived.total) == (3, 2)
    ids = [piece.split(b"'")[0] for piece in sender.sent.split(b"' id='")[1:]]
    assert len(set(ids)) == 3


class Relay(Stage):
    """A server that hands on what senders say."""

    def __init__(self, takes: bool = True) -> None:
        super().__init__()
        self.takes = takes
        self.deliver = self.pass_on

    def pass_on(self) -> None:
        for sender, recipient in zip(self.wires[:2], self.wires[2:4], strict=False):
            sent, sender.sent = sender.sent, b""
            if sent and self.takes:
                recipient.receive(sent)


def test_what_arrives_is_counted_between_two_readings() -> None:
    """The window is kept full; what is on its way at the end is waited for, and nothing is lost."""
    stage: Any = Relay()
    figures = messages(stage, JOB)
    assert figures["units"] == 2 * JOB.window
    assert figures["lost"] == 0
    assert figures["cpu_us"] == 1e6 / figures["units"]
    assert stage.said[-3:] == ["unharmed", "dismiss 4", "dismiss 0"]


def test_a_server_that_takes_everything_and_delivers_nothing() -> None:
    """No figure is better than a wrong one."""
    stage: Any = Relay(takes=False)
    with pytest.raises(NegotiationError, match="no message arrived"):
        messages(stage, JOB)
