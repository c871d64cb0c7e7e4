"""Messages on managed streams."""

from typing import Any

from bench.scenarios.smacks import ManagedFlow, smacks
from bench.stanzas import ACKNOWLEDGEMENT_REQUEST

from .stage import JOB, Wire
from .test_messages import Relay

REQUEST = b"<r xmlns='urn:xmpp:sm:3'/>"


def test_the_sender_asks_behind_every_tenth_message() -> None:
    """Not at the end of whatever is sent in one piece."""
    sender: Any = Wire()
    flow = ManagedFlow(sender, b"juliet@localhost", Wire())  # type: ignore[arg-type]
    flow.push(25)
    pieces = sender.sent.split(ACKNOWLEDGEMENT_REQUEST)
    assert [piece.count(b"</message>") for piece in pieces] == [10, 10, 5]


def test_the_recipient_answers_with_what_has_come() -> None:
    """XEP-0198, Acks: wherever the stream is cut, each request has one answer."""
    sender: Any = Wire()
    recipient: Any = Wire()
    ManagedFlow(sender, b"juliet@localhost", recipient)
    stream = b"<message><body>x</body></message>" * 3 + REQUEST
    for byte in stream:
        recipient.receive(bytes([byte]))
    assert recipient.sent == b"<a xmlns='urn:xmpp:sm:3' h='3'/>"


def test_the_sender_answers_that_nothing_has_come() -> None:
    """It is sent no stanza; the server's own answers are counted."""
    sender: Any = Wire()
    flow = ManagedFlow(sender, b"juliet@localhost", Wire())  # type: ignore[arg-type]
    sender.receive(b"<a xmlns='urn:xmpp:sm:3' h='10'/>" + REQUEST + b"<a h='20' xmlns='urn:xmpp:sm:3'/>")
    assert sender.sent == b"<a xmlns='urn:xmpp:sm:3' h='0'/>"
    assert flow.answers.total == 2


def test_both_sides_are_managed() -> None:
    """The rest is as without."""
    stage: Any = Relay()
    figures = smacks(stage, JOB)
    assert "bring 4 managed" in stage.said
    assert (figures["units"], figures["lost"], figures["answers"]) == (2 * JOB.window, 0, 0)
