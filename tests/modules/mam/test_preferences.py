"""What accounts want to be archived: XEP-0441."""

import pytest

from xmppd.modules.mam.options import Default
from xmppd.modules.mam.preferences import ALWAYS, JID, NEVER, PREFS, Preferences, read_preferences
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, JidMalformed, NotAcceptable
from xmppd.protocol.jid import Jid

ROMEO, MONTAGUE = Jid("romeo@montague.lit"), Jid("montague@montague.lit")
ORCHARD, GARDEN = Jid(f"{ROMEO}/orchard"), Jid(f"{ROMEO}/garden")
EXAMPLE = Preferences(Default.ROSTER, always=(ROMEO,), never=(MONTAGUE,))
ELEMENT = E(PREFS, E(ALWAYS, E(JID, ROMEO)), E(NEVER, E(JID, MONTAGUE)), default="roster")


def prefs(*children: Element, default: str | None = "always") -> Element:
    return E(PREFS, *children, default=default)


def test_example() -> None:
    """Simple configuration: a default and two lists."""
    assert read_preferences(ELEMENT, 10) == EXAMPLE
    assert EXAMPLE.element() == ELEMENT


def test_both_lists_are_told_even_if_they_are_empty() -> None:
    """Simple configuration: always and never must be there."""
    assert Preferences(Default.NEVER).element() == E(PREFS, E(ALWAYS), E(NEVER), default="never")


def test_lists_may_be_missing() -> None:
    """Always archive, Never archive: a missing list is an empty one."""
    assert read_preferences(prefs(default="never"), 10) == Preferences(Default.NEVER)


def test_addresses_are_prepared() -> None:
    """JID matching: what is compared is compared in canonical form; twice the same is once."""
    always = E(ALWAYS, E(JID, "Romeo@Montague.LIT"), "\n", E(JID, f" {ROMEO}\n"), E("{urn:x}jid", "?"))
    assert read_preferences(prefs(always), 10).always == (ROMEO,)


@pytest.mark.parametrize("default", [None, "", "sometimes", "Always"])
def test_defaults_that_are_none(default: str | None) -> None:
    """Default behaviour: one of three."""
    with pytest.raises(BadRequest):
        read_preferences(prefs(default=default), 10)


@pytest.mark.parametrize("text", ["", "@", "romeo@"])
def test_addresses_that_are_none(text: str) -> None:
    """Always archive: each element has one JID."""
    with pytest.raises(JidMalformed):
        read_preferences(prefs(E(NEVER, E(JID, text))), 10)


def test_too_many_addresses() -> None:
    """Both lists count together."""
    always = E(ALWAYS, *[E(JID, f"a{n}@montague.lit") for n in range(6)])
    never = E(NEVER, *[E(JID, f"b{n}@montague.lit") for n in range(5)])
    assert len(read_preferences(prefs(always, never), 11).always) == 6
    with pytest.raises(NotAcceptable):
        read_preferences(prefs(always, never), 10)


@pytest.mark.parametrize("default", Default)
@pytest.mark.parametrize(
    ("always", "never", "peer", "rule"),
    [
        ((), (), ORCHARD, None),
        ((ROMEO,), (), ROMEO, Default.ALWAYS),
        ((ROMEO,), (), ORCHARD, Default.ALWAYS),
        ((ORCHARD,), (), ORCHARD, Default.ALWAYS),
        ((ORCHARD,), (), GARDEN, None),
        ((ORCHARD,), (), ROMEO, None),
        ((), (ROMEO,), ORCHARD, Default.NEVER),
        ((), (ORCHARD,), ORCHARD, Default.NEVER),
        ((), (ORCHARD,), GARDEN, None),
        ((MONTAGUE,), (MONTAGUE,), MONTAGUE, Default.NEVER),
        ((ROMEO,), (ORCHARD,), ORCHARD, Default.NEVER),
        ((ROMEO,), (ORCHARD,), GARDEN, Default.ALWAYS),
    ],
)
def test_jid_matching(
    always: tuple[Jid, ...], never: tuple[Jid, ...], peer: Jid, rule: Default | None, default: Default
) -> None:
    """General rules: with a resource as it is, without one whatever the resource; who is in no list has the default."""
    assert Preferences(default, always, never).rule_for(peer) is (rule or default)
