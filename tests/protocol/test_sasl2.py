"""XEP-0388: Extensible SASL Profile: the elements."""

import pytest

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.sasl2 import (
    NS,
    Authenticate,
    UserAgent,
    challenge,
    continuation,
    failure,
    feature,
    read,
    success,
    task_data,
)
from xmppd.protocol.writer import serialise

AGENT_ID = "d4565fa7-4d72-4749-b3d3-740edbf87770"


def authenticate(*children: Element, **attributes: str) -> Element:
    return E(f"{{{NS}}}authenticate", *children, **attributes)


def user_agent(*children: Element, **attributes: str) -> UserAgent:
    return read(authenticate(E(f"{{{NS}}}user-agent", *children, **attributes))).user_agent


def test_an_authentication_request() -> None:
    """Initiation: mechanism, initial response, who the client is, and what else it wants."""
    bind = E("{urn:xmpp:bind:0}bind")
    element = authenticate(
        E(f"{{{NS}}}initial-response", " SSBzaG91bGQ= "),
        E(
            f"{{{NS}}}user-agent",
            E(f"{{{NS}}}software", "AwesomeXMPP"),
            E(f"{{{NS}}}device", "Kiva's Phone"),
            id=AGENT_ID,
        ),
        bind,
        mechanism="SCRAM-SHA-1-PLUS",
    )
    request = read(element)
    agent = UserAgent(AGENT_ID, "AwesomeXMPP", "Kiva's Phone")
    assert request == Authenticate("SCRAM-SHA-1-PLUS", "SSBzaG91bGQ=", agent, element)
    assert request.request("{urn:xmpp:bind:0}bind") is bind
    assert request.request("{urn:xmpp:fast:0}fast") is None


def test_a_request_may_say_next_to_nothing() -> None:
    """Initiation: the mechanism alone is mandatory; who lacks it has chosen one that nobody offered."""
    assert read(authenticate()) == Authenticate("", None, UserAgent(), authenticate())


def test_an_empty_response_is_not_a_missing_one() -> None:
    """SASL Data Encoding: an empty element is an empty string."""
    assert read(authenticate(E(f"{{{NS}}}initial-response"))).text == ""


@pytest.mark.parametrize(
    ("written", "id"),
    [
        (AGENT_ID.upper(), AGENT_ID),
        (f" {AGENT_ID} ", AGENT_ID),
        ("", None),
        ("my-phone", None),
        (AGENT_ID + "0", None),
        (AGENT_ID.replace("-", ""), None),
    ],
)
def test_the_identifier_is_a_uuid(written: str, id: str | None) -> None:
    """Initiation: anything else is no identifier, and the client is one that has none."""
    assert user_agent(id=written).id == id


def test_descriptions_are_short_lines() -> None:
    """Whoever lists clients shows these: what a client writes there cannot spoil the list."""
    told = user_agent(E(f"{{{NS}}}software", "  A\n client \t of \r mine "), E(f"{{{NS}}}device", "x" * 1000))
    assert told.software == "A client of mine"
    assert told.device == "x" * 100


def test_the_stream_feature() -> None:
    """SASL mechanism negotiation; the tasks of XEP-0480 stand beside the inline features."""
    offered = feature(["SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"], [E("{urn:xmpp:sm:3}sm")], ["UPGR-SCRAM-SHA-256"])
    assert serialise(offered) == (
        b"<authentication xmlns='urn:xmpp:sasl:2'>"
        b"<mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-1-PLUS</mechanism>"
        b"<inline><sm xmlns='urn:xmpp:sm:3'/></inline>"
        b"<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></authentication>"
    )
    assert feature(["PLAIN"]) == E(f"{{{NS}}}authentication", E(f"{{{NS}}}mechanism", "PLAIN"))


def test_challenges() -> None:
    """Challenges and Responses."""
    assert serialise(challenge("U28=")) == b"<challenge xmlns='urn:xmpp:sasl:2'>U28=</challenge>"
    assert serialise(challenge("")) == b"<challenge xmlns='urn:xmpp:sasl:2'/>"


def test_success() -> None:
    """Success: the mechanism's data if there is some, who the client is, then what came of its requests."""
    whole = success("juliet@montague.example/Balcony", "dj0=", [E("{urn:xmpp:bind:0}bound")])
    assert serialise(whole) == (
        b"<success xmlns='urn:xmpp:sasl:2'><additional-data>dj0=</additional-data>"
        b"<authorization-identifier>juliet@montague.example/Balcony</authorization-identifier>"
        b"<bound xmlns='urn:xmpp:bind:0'/></success>"
    )
    assert success("user@example.org").child(f"{{{NS}}}additional-data") is None


def test_failure() -> None:
    """Failure: a condition of RFC 6120, in its namespace, and perhaps a text in ours."""
    assert serialise(failure(SaslFailure("aborted", "This is a terrible example."))) == (
        b"<failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        b"<text>This is a terrible example.</text></failure>"
    )
    assert failure(SaslFailure("not-authorized")).child(f"{{{NS}}}text") is None


def test_continue() -> None:
    """Continue: the task to be done, and what the mechanism sends with its end."""
    assert serialise(continuation("UPGR-SCRAM-SHA-256", "dj0=")) == (
        b"<continue xmlns='urn:xmpp:sasl:2'><additional-data>dj0=</additional-data>"
        b"<tasks><task>UPGR-SCRAM-SHA-256</task></tasks></continue>"
    )
    assert continuation("TOTP-EXAMPLE").child(f"{{{NS}}}additional-data") is None
    assert serialise(task_data(E("{urn:totp:example}totp"))) == (
        b"<task-data xmlns='urn:xmpp:sasl:2'><totp xmlns='urn:totp:example'/></task-data>"
    )
