"""What parameters take."""

from xmppd.core.arguments import CONVERSIONS, KINDS
from xmppd.core.command_forms import TYPES
from xmppd.core.kinds import Kind


def test_every_kind_is_known_everywhere() -> None:
    """Each kind can be declared, converted and asked for by a form; a choice is declared and converted by its enum."""
    assert {*KINDS.values(), Kind.CHOICE} == set(Kind)
    assert {*CONVERSIONS, Kind.CHOICE} == set(Kind)
    assert set(TYPES) == set(Kind)
