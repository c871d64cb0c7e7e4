"""Service Discovery (XEP-0030), its extensions (XEP-0128) and Entity Capabilities (XEP-0115)."""

from dataclasses import replace

import pytest

from xmppd.protocol.dataforms import Field, FieldType, Form, FormKind
from xmppd.protocol.disco import (
    CAPS,
    HASHES,
    Identity,
    Info,
    Item,
    caps_element,
    is_unambiguous,
    is_well_formed,
    items_element,
    verification_hash,
    verification_string,
    verify,
)
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest
from xmppd.protocol.jid import Jid

INFO_NS = "http://jabber.org/protocol/disco#info"
ITEMS_NS = "http://jabber.org/protocol/disco#items"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
FEATURES = (
    "http://jabber.org/protocol/muc",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/caps",
    "http://jabber.org/protocol/disco#items",
)
EXODUS = Info([Identity("client", "pc", name="Exodus 0.9.1")], FEATURES)
SOFTWARE = Form(
    FormKind.RESULT,
    form_type="urn:xmpp:dataforms:softwareinfo",
    fields=[
        Field("software", value="Psi"),
        Field("ip_version", FieldType.TEXT_MULTI, ["ipv6", "ipv4"]),
        Field("os", value="Mac"),
        Field("software_version", value="0.11"),
        Field("os_version", value="10.5.1"),
    ],
)
PSI = Info(
    [Identity("client", "pc", "en", "Psi 0.11"), Identity("client", "pc", "el", "\u03a8 0.11")], FEATURES, [SOFTWARE]
)


def test_an_answer_with_identities_features_and_forms() -> None:
    """XEP-0030, Basic Protocol, and XEP-0128: what is sent and how it is read."""
    form = Form(FormKind.RESULT, [Field("c2s_port", value=5222)], "http://jabber.org/network/serverinfo")
    info = Info([Identity("server", "im", "en", "Capulet")], ["jabber:iq:register"], [form], node="n")
    element = info.element()
    assert element == E(
        f"{{{INFO_NS}}}query",
        E(f"{{{INFO_NS}}}identity", {LANG: "en"}, category="server", type="im", name="Capulet"),
        E(f"{{{INFO_NS}}}feature", var="jabber:iq:register"),
        form.element(),
        node="n",
    )
    assert Info.parse(element).element() == element
    assert Info().element() == E(f"{{{INFO_NS}}}query")


def test_identities_inherit_the_language() -> None:
    """XEP-0115 hashes the language, which may stand further out."""
    identity = E(f"{{{INFO_NS}}}identity", category="client", type="pc")
    assert Info.parse(E(f"{{{INFO_NS}}}query", identity), lang="de").identities[0].lang == "de"
    assert Info.parse(E(f"{{{INFO_NS}}}query", {LANG: "el"}, identity), lang="de").identities[0].lang == "el"


@pytest.mark.parametrize(
    "child",
    [
        E(f"{{{INFO_NS}}}identity", category="client"),
        E(f"{{{INFO_NS}}}identity", type="pc"),
        E(f"{{{INFO_NS}}}identity", category="", type="pc"),
        E(f"{{{INFO_NS}}}feature"),
        E("{jabber:x:data}x"),
    ],
)
def test_malformed_answers(child: Element) -> None:
    """XEP-0030, Basic Protocol: category, type and var are required."""
    with pytest.raises(BadRequest):
        Info.parse(E(f"{{{INFO_NS}}}query", child))


def test_forms_without_form_type_are_left_out() -> None:
    """XEP-0115, Processing Method: they are ignored, and so are those whose form type is not hidden."""
    untyped = Form(FormKind.RESULT, [Field("a", value="b")]).element()
    shown = Form(FormKind.RESULT, [Field("FORM_TYPE", value="urn:x")]).element()
    assert Info.parse(E(f"{{{INFO_NS}}}query", untyped, shown)).forms == ()


def test_items() -> None:
    """XEP-0030, Discovering the Items Associated with a Jabber Entity."""
    items = (Item(Jid("people.shakespeare.lit"), name="Directory"), Item(Jid("a@b/c"), node="music"))
    element = items_element(items, node="n")
    assert element == E(
        f"{{{ITEMS_NS}}}query",
        E(f"{{{ITEMS_NS}}}item", jid="people.shakespeare.lit", name="Directory"),
        E(f"{{{ITEMS_NS}}}item", jid="a@b/c", node="music"),
        node="n",
    )
    assert items_element([]) == E(f"{{{ITEMS_NS}}}query")


def test_answers_to_another_question() -> None:
    """An answer to disco#items is not mistaken for one to disco#info."""
    with pytest.raises(BadRequest):
        Info.parse(items_element([]))


def test_simple_generation_example() -> None:
    """XEP-0115, Simple Generation Example."""
    assert verification_hash(EXODUS) == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_complex_generation_example() -> None:
    """XEP-0115, Complex Generation Example: identities, features, forms, fields and values are sorted."""
    assert verification_hash(PSI) == "q07IKJEyjvHSyhy//CH0CxmKi8w="
    assert verification_hash(Info.parse(PSI.element())) == "q07IKJEyjvHSyhy//CH0CxmKi8w="


def test_sorting_is_by_octets() -> None:
    """XEP-0115, Generation Method: i;octet, which for UTF-16 surrogates differs from the order of code units."""
    info = Info([], ["\U00010000", "\uffff", "z", "Z"])
    assert verification_string(info).decode() == "Z<z<\uffff<\U00010000<"


def test_verified_answers() -> None:
    """XEP-0115, Processing Method: the hash is rebuilt."""
    for name in HASHES:
        assert verify(PSI, verification_hash(PSI, name), name)
    assert not verify(PSI, verification_hash(EXODUS), "sha-1")
    assert not verify(PSI, verification_hash(PSI), "sha-256")
    assert not verify(PSI, verification_hash(PSI), "md2")


@pytest.mark.parametrize(
    "info",
    [
        replace(EXODUS, identities=[*EXODUS.identities, *EXODUS.identities]),
        replace(EXODUS, features=[*FEATURES, FEATURES[0]]),
        replace(PSI, forms=[SOFTWARE, Form(FormKind.RESULT, form_type=SOFTWARE.form_type)]),
        replace(EXODUS, features=[*FEATURES, "a<b"]),
        replace(EXODUS, identities=[Identity("client", "pc", name="A<http://jabber.org/protocol/muc")]),
        replace(EXODUS, identities=[Identity("client/pc", "x")]),
        replace(EXODUS, identities=[Identity("client", "pc", "en/x")]),
        replace(PSI, forms=[Form(FormKind.RESULT, [Field("a<b")], "urn:x")]),
        replace(PSI, forms=[Form(FormKind.RESULT, [Field("a", value="b<c")], "urn:x")]),
        replace(PSI, forms=[Form(FormKind.RESULT, form_type="urn:x<y")]),
    ],
)
def test_ill_formed_answers_are_never_verified(info: Info) -> None:
    """XEP-0115, Processing Method and Security Considerations: duplicates, and the separator within a part."""
    assert not is_well_formed(info)
    assert not verify(info, verification_hash(info), "sha-1")


def test_the_same_name_in_another_language_is_no_duplicate() -> None:
    """XEP-0030: identities differ in category, type or language."""
    assert is_well_formed(replace(EXODUS, identities=[Identity("client", "pc", lang) for lang in ("", "en", "el")]))


def test_features_hidden_in_a_form() -> None:
    """XEP-0115, Security Considerations: an answer with fewer features and the same string is told apart."""
    honest = Info([Identity("client", "pc")], ["urn:xmpp:a", "urn:xmpp:b", "urn:xmpp:c"])
    forged = Info(
        honest.identities, ["urn:xmpp:a"], [Form(FormKind.RESULT, [Field("urn:xmpp:c")], form_type="urn:xmpp:b")]
    )
    assert verify(forged, verification_hash(honest), "sha-1")
    assert is_unambiguous(honest)
    assert not is_unambiguous(forged)


def test_an_identity_hidden_among_features() -> None:
    """An identity that is called a feature is noticed; addresses of web pages have an empty second part."""
    honest = Info([Identity("client", "pc"), Identity("client", "phone")], FEATURES)
    forged = Info([Identity("client", "pc")], ["client/phone//", *FEATURES])
    assert verification_string(forged) == verification_string(honest)
    assert is_unambiguous(honest)
    assert not is_unambiguous(forged)


def test_forms_that_break_the_order_are_certain() -> None:
    """Where the form type sorts before the last feature, nothing could have been cut off."""
    certain = replace(PSI, features=[*FEATURES, "urn:xmpp:receipts"])
    assert is_unambiguous(certain)
    assert not is_unambiguous(PSI)
    assert not is_unambiguous(Info([], [], [SOFTWARE]))


def test_caps_of_a_presence() -> None:
    """XEP-0115, Advertising Capabilities."""
    assert caps_element("http://code.google.com/p/exodus", EXODUS) == E(
        f"{{{CAPS}}}c", hash="sha-1", node="http://code.google.com/p/exodus", ver="QgayPKawpkPSDYmwT/WM94uAlu0="
    )
