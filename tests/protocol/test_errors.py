"""The error families, condition by condition, as RFC 6120 writes them."""

import pytest

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import (
    SASL_CONDITIONS,
    STANZA_CONDITIONS,
    STREAM_CONDITIONS,
    Gone,
    Misuse,
    NotAcceptable,
    Redirect,
    SaslFailure,
    ServiceUnavailable,
    StanzaError,
    StreamError,
    UndefinedCondition,
    error_of,
)
from xmppd.protocol.names import SASL, STANZA_ERRORS, STREAM, STREAM_ERRORS, XML_LANG

SPECIFIC = E("{urn:x}too-many-parameters")
TYPES = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}
CODES = {  # XEP-0086, 3; policy-violation is younger and takes that of bad-request
    "bad-request": 400, "conflict": 409, "feature-not-implemented": 501, "forbidden": 403, "gone": 302,
    "internal-server-error": 500, "item-not-found": 404, "jid-malformed": 400, "not-acceptable": 406,
    "not-allowed": 405, "not-authorized": 401, "policy-violation": 400, "recipient-unavailable": 404, "redirect": 302,
    "registration-required": 407, "remote-server-not-found": 404, "remote-server-timeout": 504,
    "resource-constraint": 500, "service-unavailable": 503, "subscription-required": 407, "undefined-condition": 500,
    "unexpected-request": 400,
}  # fmt: skip


def carrying(error: Element) -> Element:
    """Return an error stanza."""
    return E("{jabber:client}iq", error, type="error", id="1")


class TestStanzaErrors:
    """RFC 6120, 8.3."""

    def test_all_conditions_are_there(self) -> None:
        """8.3.3 defines 22 conditions; each has one class."""
        assert set(STANZA_CONDITIONS) == set(TYPES) == set(CODES)

    @pytest.mark.parametrize("condition", sorted(TYPES))
    def test_on_the_wire(self, condition: str) -> None:
        """8.3.2: the type and the legacy code as attributes, the condition first, then text and specific condition."""
        element = STANZA_CONDITIONS[condition]("Why.", specific=SPECIFIC).element(by="capulet.example")
        assert element == E(
            "{jabber:client}error",
            E(f"{{{STANZA_ERRORS}}}{condition}"),
            E(f"{{{STANZA_ERRORS}}}text", {XML_LANG: "en"}, "Why."),
            SPECIFIC,
            type=TYPES[condition],
            code=CODES[condition],
            by="capulet.example",
        )

    @pytest.mark.parametrize("condition", sorted(TYPES))
    def test_round_trip(self, condition: str) -> None:
        """An error that was written is read as the same error."""
        written = STANZA_CONDITIONS[condition]("Why.", specific=SPECIFIC, type="continue")
        read = error_of(carrying(written.element()))
        assert type(read) is type(written)
        assert (read.text, read.specific, read.type) == ("Why.", SPECIFIC, "continue")
        assert read.element() == written.element()

    def test_bare_error(self) -> None:
        """8.3.2: text and specific condition are optional; without them the error is its condition alone."""
        assert [child.name for child in ServiceUnavailable().element().elements()] == [
            f"{{{STANZA_ERRORS}}}service-unavailable"
        ]
        assert str(ServiceUnavailable()) == "service-unavailable"
        assert str(ServiceUnavailable("no")) == "service-unavailable: no"

    @pytest.mark.parametrize("cls", [Gone, Redirect])
    def test_with_address(self, cls: type[Gone]) -> None:
        """8.3.3.5 and 8.3.3.14: these conditions carry the new address as character data."""
        written = cls(address="xmpp:romeo@afterlife.example")
        condition = written.element().first
        assert condition is not None
        assert condition.text == "xmpp:romeo@afterlife.example"
        read = error_of(carrying(written.element()))
        assert isinstance(read, cls)
        assert read.address == "xmpp:romeo@afterlife.example"
        assert cls(type="wait").type == "wait"

    @pytest.mark.parametrize(
        "error",
        [
            None,
            E("{jabber:client}error", type="cancel"),
            E("{jabber:client}error", E(f"{{{STANZA_ERRORS}}}unheard-of"), type="cancel"),
            E("{jabber:client}error", "just text", E("{urn:x}bad-request")),
        ],
    )
    def test_strange_errors(self, error: Element | None) -> None:
        """What names no condition we know is an undefined condition, not an exception."""
        stanza = E("{jabber:client}message", error, type="error")
        assert type(error_of(stanza)) is UndefinedCondition

    def test_unknown_type(self) -> None:
        """A type that RFC 6120 does not define is replaced by the condition's own."""
        element = NotAcceptable().element()
        element.attributes["type"] = "whatever"
        assert error_of(carrying(element)).type == "modify"

    def test_each_is_a_stanza_error(self) -> None:
        """Handlers raise them, the core catches the base."""
        assert all(issubclass(cls, StanzaError) for cls in STANZA_CONDITIONS.values())


class TestStreamErrors:
    """RFC 6120, 4.9."""

    @pytest.mark.parametrize("condition", sorted(STREAM_CONDITIONS))
    def test_on_the_wire(self, condition: str) -> None:
        """4.9.2: the condition, then text and specific condition."""
        element = StreamError(condition, "Why.", specific=SPECIFIC).element()
        assert element == E(
            f"{{{STREAM}}}error",
            E(f"{{{STREAM_ERRORS}}}{condition}"),
            E(f"{{{STREAM_ERRORS}}}text", {XML_LANG: "en"}, "Why."),
            SPECIFIC,
        )

    def test_number(self) -> None:
        """4.9.3 defines 25 conditions."""
        assert len(STREAM_CONDITIONS) == 25

    def test_see_other_host(self) -> None:
        """4.9.3.19: the address is character data of the condition."""
        element = StreamError("see-other-host", content="[2001:41D0:1:A49b::1]:9222").element()
        assert element == E(f"{{{STREAM}}}error", E(f"{{{STREAM_ERRORS}}}see-other-host", "[2001:41D0:1:A49b::1]:9222"))

    def test_unknown_condition(self) -> None:
        """A condition that does not exist is our own mistake."""
        with pytest.raises(Misuse):
            StreamError("service-unavailable")


class TestSaslFailures:
    """RFC 6120, 6.5."""

    @pytest.mark.parametrize("condition", sorted(SASL_CONDITIONS))
    def test_on_the_wire(self, condition: str) -> None:
        """6.5: the condition and, if there is one, a text."""
        assert SaslFailure(condition).element() == E(f"{{{SASL}}}failure", E(f"{{{SASL}}}{condition}"))
        assert SaslFailure(condition, "Why.").element() == E(
            f"{{{SASL}}}failure", E(f"{{{SASL}}}{condition}"), E(f"{{{SASL}}}text", {XML_LANG: "en"}, "Why.")
        )

    def test_number(self) -> None:
        """6.5 defines eleven conditions."""
        assert len(SASL_CONDITIONS) == 11

    def test_unknown_condition(self) -> None:
        """A condition that does not exist is our own mistake."""
        with pytest.raises(Misuse):
            SaslFailure("wrong-password")
