"""Bytes that are no XMPP: RFC 6120, 4.9.3 and 11, in front of a stream, before authentication and in a session."""

import random
from typing import Final

import pytest

from tests.e2e.deployment import CAPULET

from .fortress import Siege, provokes

HEADER: Final = (
    f"<stream:stream to='{CAPULET}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
LAUGHS: Final = "<!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]>"

OPENINGS: Final = {
    "UTF-16": (f"<?xml version='1.0'?>{HEADER}".encode("utf-16"), "unsupported-encoding"),
    "UTF-16, no byte order mark": (f"<?xml version='1.0'?>{HEADER}".encode("utf-16-le"), "unsupported-encoding"),
    "UTF-32": (f"<?xml version='1.0'?>{HEADER}".encode("utf-32"), "unsupported-encoding"),
    "ISO-8859-1": (f"<?xml version='1.0' encoding='ISO-8859-1'?>{HEADER}".encode(), "unsupported-encoding"),
    "US-ASCII": (f"<?xml version='1.0' encoding='US-ASCII'?>{HEADER}".encode(), "unsupported-encoding"),
    "a DTD": (f"<?xml version='1.0'?>{LAUGHS}{HEADER}".encode(), "restricted-xml"),
    "a DTD elsewhere": (b"<!DOCTYPE stream SYSTEM 'http://127.0.0.1/x.dtd'>" + HEADER.encode(), "restricted-xml"),
    "a comment": (b"<!-- hello -->" + HEADER.encode(), "restricted-xml"),
    "a processing instruction": (b"<?php echo ?>" + HEADER.encode(), "restricted-xml"),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: capulet.example\r\n\r\n", "not-well-formed"),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(200), "unsupported-encoding"),
    "NUL": (bytes(5000), "unsupported-encoding"),
    "an attribute twice": (HEADER[:-1].encode() + b" to='a'>", "not-well-formed"),
    "too many attributes": (HEADER[:-1].encode() + b" ".join(b" a%d=''" % n for n in range(80)) + b">", "policy-violation"),
    "no namespace of streams": (b"<stream to='capulet.example' version='1.0'>", "invalid-namespace"),
    "another element": (HEADER.replace("stream:stream", "stream:features").encode(), "bad-format"),
    "a header without an end": (HEADER[:-1].encode() + b" a='" + b"x" * 20_000, "policy-violation"),
}  # fmt: skip

INSIDE: Final = {
    "a truncated character": (b"<message><body>\xc3</body></message>", "not-well-formed"),
    "an overlong slash": (b"<message><body>\xc0\xaf</body></message>", "not-well-formed"),
    "an overlong NUL": (b"<message><body>\xc0\x80</body></message>", "not-well-formed"),
    "a surrogate": (b"<message><body>\xed\xa0\x80</body></message>", "not-well-formed"),
    "a pair of surrogates": (b"<message><body>\xed\xa0\xbd\xed\xb8\x80</body></message>", "not-well-formed"),
    "beyond Unicode": (b"<message><body>\xf4\x90\x80\x80</body></message>", "not-well-formed"),
    "a byte of ISO-8859-1": (b"<message><body>\xe4</body></message>", "not-well-formed"),
    "NUL": (b"<message><body>\x00</body></message>", "not-well-formed"),
    "NUL by number": (b"<message><body>&#0;</body></message>", "not-well-formed"),
    "a control character": (b"<message><body>\x1b[2J</body></message>", "not-well-formed"),
    "a surrogate by number": (b"<message><body>&#xd800;</body></message>", "not-well-formed"),
    "no character": (b"<message><body>\xef\xbf\xbf</body></message>", "not-well-formed"),
    "an entity": (b"<message><body>&lol;</body></message>", "restricted-xml"),
    "an entity without an end": (b"<message><body>&" + b"x" * 9_000, "restricted-xml"),
    "a comment": (b"<message><!-- hello --></message>", "restricted-xml"),
    "a comment between stanzas": (b"<!-- hello -->", "restricted-xml"),
    "a comment without an end": (b"<message><!-- " + b"x" * 9_000, "restricted-xml"),
    "a processing instruction": (b"<message><?php echo ?></message>", "restricted-xml"),
    "an XML declaration": (b"<message><?xml version='1.0'?></message>", "not-well-formed"),
    "text between stanzas": (b"hello", "bad-format"),
    "a prefix of nobody's": (b"<a:message/>", "bad-namespace-prefix"),
    "tags that cross": (b"<message><a><b></a></b></message>", "not-well-formed"),
    "an attribute twice": (b"<message to='a' to='b'/>", "not-well-formed"),
    "an attribute without quotes": (b"<message to=a/>", "not-well-formed"),
    "a bracket in an attribute": (b"<message to='<'/>", "not-well-formed"),
}  # fmt: skip
BYTES: Final = "\u00e4\u4e2d<>&'\"/=! \t\n\0".encode() + bytes(range(128, 256)) + b"<message to='a'></message>"


@pytest.mark.parametrize(("data", "condition"), OPENINGS.values(), ids=OPENINGS)
@pytest.mark.parametrize("size", [1, 65_536])
async def test_instead_of_a_stream(siege: Siege, data: bytes, condition: str, size: int) -> None:
    """4.9.1.2: whoever does not even begin a stream gets ours, with the error, whole and in single bytes."""
    raw = await siege.raw()
    assert await provokes(raw, data, size) == condition
    assert raw.stream_ended


@pytest.mark.parametrize(("data", "condition"), INSIDE.values(), ids=INSIDE)
async def test_before_authentication(siege: Siege, data: bytes, condition: str) -> None:
    """The same rules hold for strangers, under TLS as in clear."""
    in_clear = await siege.raw("clear")
    await in_clear.opens(CAPULET)
    under_tls = await siege.secured()
    await under_tls.opens(CAPULET)
    for raw in (in_clear, under_tls):
        assert await provokes(raw, data) == condition
        assert raw.stream_ended


async def test_in_a_session(siege: Siege) -> None:
    """11.1, 11.3, 11.6: and for those who have logged in."""
    for name, (data, condition) in INSIDE.items():
        raw = await siege.session("tybalt")
        assert (name, await provokes(raw, data)) == (name, condition)
        assert raw.stream_ended


@pytest.mark.parametrize("seed", range(8))
async def test_random_bytes(siege: Siege, seed: int) -> None:
    """Noise ends the stream with one of the errors for what is no XML, wherever it comes."""
    generator = random.Random(seed)
    noise = bytes(generator.choices(BYTES, k=3000))
    expected = {"not-well-formed", "restricted-xml", "bad-format", "bad-namespace-prefix", "unsupported-encoding"}
    stranger, session = await siege.raw(), await siege.session("tybalt")
    assert await provokes(stranger, b"\xff" + noise) in expected
    assert await provokes(session, b"<message>" + noise + b"<") in expected
