"""XEP-0386: Bind 2."""

import pytest

from xmppd.protocol.bind2 import BIND, TAG, address, bound, feature
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.writer import serialise

USER = Jid.parse("user@example.com")


def test_the_feature_names_what_can_be_enabled() -> None:
    """Discovering support."""
    assert serialise(feature(["urn:xmpp:carbons:2", "urn:xmpp:csi:0"])) == (
        b"<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/><feature var='urn:xmpp:csi:0'/>"
        b"</inline></bind>"
    )
    assert serialise(feature([])) == b"<bind xmlns='urn:xmpp:bind:0'/>"


def test_the_answer_holds_those_of_the_features() -> None:
    """Performing the bind."""
    assert serialise(bound([E("{urn:xmpp:sm:3}enabled")])) == (
        b"<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3'/></bound>"
    )


@pytest.mark.parametrize(
    ("tag", "resource"),
    [
        ("AwesomeXMPP", "AwesomeXMPP/4232f4d4"),
        (" Awesome XMPP\n", "Awesome XMPP/4232f4d4"),
        ("", "4232f4d4"),
        ("\u202e", "4232f4d4"),
        ("x" * 1100, "4232f4d4"),
    ],
)
def test_the_tag_comes_first_if_it_can_be_part_of_a_resource(tag: str, resource: str) -> None:
    """Resource identifier generation: as-is, subject to the validation of resource identifiers."""
    assert address(USER, E(BIND, E(TAG, tag)), "4232f4d4") == Jid.parse(f"user@example.com/{resource}")


def test_a_request_without_a_tag() -> None:
    """Performing the bind: the tag is optional."""
    assert address(USER, E(BIND), "4232f4d4").resourcepart == "4232f4d4"
