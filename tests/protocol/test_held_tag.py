"""A long tag that comes in pieces: its end is found once, wherever it is cut, and nothing else is mistaken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.protocol.held_tag import HeldTag

BEGUN = b"<message to='a' "


def test_pieces_until_the_end() -> None:
    """What was kept comes back whole with the piece that ends the tag, and what stands behind it too."""
    held = HeldTag(BEGUN)
    assert held.add(b"id='1' ") is None
    assert held.add(b"xml:lang=") is None
    assert held.size == 16
    assert held.add(b"'en'><body") == b"id='1' xml:lang='en'><body"


@pytest.mark.parametrize("quote", [b"'", b'"'])
def test_an_end_inside_a_value_is_none(quote: bytes) -> None:
    """XML 1.0, 3.1: a value may hold `>` and the other quotation mark."""
    other = b'"' if quote == b"'" else b"'"
    held = HeldTag(BEGUN + b"a=" + quote + b"x>")
    assert held.add(b">" + other + b">") is None
    assert held.add(quote) is None
    assert held.add(b">") == b">" + other + b">" + quote + b">"


def test_a_value_that_begins_and_ends_in_one_piece() -> None:
    """Several values, the last one still open."""
    held = HeldTag(BEGUN)
    assert held.add(b"a='>' b=\">\" c='>") is None
    assert held.add(b"' ") is None
    assert held.add(b"/>") is not None


@given(
    values=st.lists(st.text(st.sampled_from("ab >'"), max_size=6), max_size=6),
    cuts=st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=50),
)
def test_however_it_is_cut(values: list[str], cuts: list[int]) -> None:
    """The end is in the piece that holds the first `>` outside of a value."""
    attributes = "".join(f'n{number}="{value}" ' for number, value in enumerate(values))
    tag = f"{attributes}>".encode()
    held, position, turn = HeldTag(BEGUN), 0, 0
    while position < len(tag):
        size = cuts[turn % len(cuts)]
        found = held.add(tag[position : position + size])
        position, turn = position + size, turn + 1
        assert (found is not None) == (position >= len(tag))
    assert found == tag
