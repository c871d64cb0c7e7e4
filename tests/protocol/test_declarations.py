"""Namespace declarations, read from the bytes of start tags."""

import pytest

from xmppd.protocol.declarations import SHORT_TAG, check_declarations, declarations_of
from xmppd.protocol.errors import StreamError


@pytest.mark.parametrize(
    ("tag", "written", "default"),
    [
        (b"<a>", b"<a>", ""),
        (b"<a xmlns='b' to='c'>", b"<a xmlns='b'>", "b"),
        (b'<s:a to="xmlns=\'x\'" xmlns:s = "y" xmlns="it\'s" >', b"<s:a xmlns='it&apos;s' xmlns:s='y'>", "it's"),
        (b"<a xmlns:b='1' xmlns='2'/>", b"<a xmlns='2' xmlns:b='1'>", "2"),
    ],
)
def test_declarations_alone(tag: bytes, written: bytes, default: str) -> None:
    """Other attributes are left out, whatever their values look like; the order is always the same."""
    assert declarations_of(tag) == (written, default)


def test_long_tags() -> None:
    """A long tag is read like a short one."""
    tag = b"<a to='" + b"x" * SHORT_TAG + b"' xmlns='b'>"
    assert declarations_of(tag) == (b"<a xmlns='b'>", "b")


def tag_with(count: int) -> bytes:
    return b"<a " + b" ".join(b"xmlns:n%d='u'" % number for number in range(count)) + b">"


def test_as_many_as_allowed() -> None:
    """The limit is for one tag: several tags may have as many each, and text may speak of them."""
    data = tag_with(3) + tag_with(3) + b" xmlns:x='y' xmlns:x='y'" + b"<b c=' xmlns:x= xmlns:y= xmlns:z= xmlns:a='/>"
    check_declarations(data, 3, 0, len(data))


def test_one_too_many() -> None:
    """One tag beyond the limit is refused, but only where one was told to look."""
    data = tag_with(1) + tag_with(4)
    check_declarations(data, 3, 0, len(tag_with(1)))
    with pytest.raises(StreamError) as caught:
        check_declarations(data, 3, 0, len(data))
    assert caught.value.condition == "policy-violation"
