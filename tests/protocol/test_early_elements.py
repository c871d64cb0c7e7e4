"""What elements mean before stanzas flow."""

import pytest

from xmppd.protocol.early_elements import ABORTS, MEANINGS, bound, sasl_element
from xmppd.protocol.element import E
from xmppd.protocol.events import AuthResponse, AuthStarted, StartTlsRequested, TaskDataReceived, TaskStarted
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import SASL, TLS
from xmppd.protocol.negotiation import Input
from xmppd.protocol.sasl2 import NS


@pytest.mark.parametrize(
    ("element", "given", "event"),
    [
        (E(f"{{{TLS}}}starttls"), Input.STARTTLS, StartTlsRequested()),
        (E(f"{{{SASL}}}auth", mechanism="PLAIN"), Input.AUTH, AuthStarted("PLAIN", None)),
        (E(f"{{{SASL}}}auth", " = ", mechanism="PLAIN"), Input.AUTH, AuthStarted("PLAIN", "=")),
        (E(f"{{{SASL}}}response", "\nYQ==\n"), Input.RESPONSE, AuthResponse("YQ==")),
        (E(f"{{{NS}}}response", "YQ=="), Input.RESPONSE_2, AuthResponse("YQ==")),
        (E(f"{{{NS}}}next", task="T"), Input.NEXT, TaskStarted("T")),
        (E(f"{{{NS}}}next"), Input.NEXT, TaskStarted("")),
        (E(f"{{{NS}}}task-data"), Input.TASK_DATA, TaskDataReceived(E(f"{{{NS}}}task-data"))),
    ],
)
def test_meanings(element: object, given: Input, event: object) -> None:
    """An element is one input to the table and one event."""
    meaning = MEANINGS[element.name]  # type: ignore[attr-defined]
    assert meaning[0] is given
    assert meaning[1](element) == event  # type: ignore[arg-type]


def test_the_profiles_are_apart() -> None:
    """XEP-0388: an element of one of them means nothing to the other."""
    assert MEANINGS[f"{{{SASL}}}response"][0] is not MEANINGS[f"{{{NS}}}response"][0]
    assert {given for given, _ in ABORTS.values()} == {Input.ABORT, Input.ABORT_2}
    for name, (_, answer) in ABORTS.items():
        assert f"xmlns='{name[1:].partition('}')[0]}'".encode() in answer
        assert b"<aborted" in answer


def test_bytes() -> None:
    """What is the same for every login is written at once, and what is echoed is escaped."""
    assert sasl_element("challenge", "") == b"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
    assert sasl_element("challenge", "<", NS) == b"<challenge xmlns='urn:xmpp:sasl:2'>&lt;</challenge>"
    assert bound("a'b", Jid.parse("a@b.example/c&d")) == (
        b"<iq type='result' id='a&apos;b'>"
        b"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@b.example/c&amp;d</jid></bind></iq>"
    )
