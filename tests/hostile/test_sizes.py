"""Stanzas that are too much: RFC 6120, 13.12, and architecture's limits, each with its policy-violation."""

from typing import Final

import pytest

from tests.e2e.deployment import CAPULET

from .fortress import Siege, floods, provokes, turns_during

TOO_MUCH: Final = {
    "a stanza without an end": b"<message><body>" + b"x" * 300_000,
    "a tag without an end": b"<message to='" + b"x" * 300_000,
    "a name without an end": b"<message><" + b"x" * 300_000,
    "10 000 levels": b"<message>" + b"<a>" * 10_000,
    "10 001 elements": b"<message>" + b"<a/>" * 10_001,
    "a million attributes": b"<message " + b" ".join(b"a%d=''" % number for number in range(1_000_000)) + b"/>",
    "80 attributes": b"<message><a " + b" ".join(b"a%d=''" % number for number in range(80)) + b"/></message>",
    "2000 namespaces": b"<message><a " + b" ".join(b"xmlns:a%d='u'" % n for n in range(2000)) + b"/></message>",
}


@pytest.mark.parametrize("data", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_in_a_session(siege: Siege, data: bytes) -> None:
    """Whatever of a stanza is too much ends the stream as soon as it is, and not when the stanza ends."""
    raw = await siege.clear_session("tybalt")
    assert await provokes(raw, data) == "policy-violation"
    assert raw.stream_ended


@pytest.mark.parametrize(
    "begin", [b"<iq type='get' id='", b"<iq type='get'>", b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"]
)
async def test_before_authentication(siege: Siege, begin: bytes) -> None:
    """Strangers have 10 000 bytes for each element."""
    raw = await siege.secured()
    await raw.opens(CAPULET)
    assert await provokes(raw, begin + b"x" * 10_001) == "policy-violation"


LONG: Final = {
    "an attribute": b"<iq type='get' to='nobody@capulet.example' id='%b'><x xmlns='urn:x'/></iq>",
    "text": b"<iq type='get' to='nobody@capulet.example' id='1'><x xmlns='urn:x'>%b</x></iq>",
    "a CDATA section": b"<iq type='get' to='nobody@capulet.example' id='1'><x xmlns='urn:x'><![CDATA[%b]]></x></iq>",
    "a name": b"<iq type='get' to='nobody@capulet.example' id='1'><x%b xmlns='urn:x'/></iq>",
}


@pytest.mark.parametrize("form", LONG.values(), ids=LONG)
async def test_byte_by_byte(siege: Siege, form: bytes) -> None:
    """A large stanza may come in single bytes: others have their turns, and in the end it is answered."""
    bystander = await siege.bystander()
    raw = await siege.clear_session("tybalt")
    received: list[str] = []

    async def trickles() -> None:
        for byte in form % (b"x" * 40_000):
            await raw.sends(bytes([byte]))
        received.extend(await floods(raw, b""))

    assert await turns_during(bystander, trickles()) > 1
    assert received == ["service-unavailable"]


async def test_an_entity_byte_by_byte(siege: Siege) -> None:
    """The name of an entity is not scanned again with each byte, since it is not waited for."""
    raw = await siege.clear_session("tybalt")
    assert await provokes(raw, b"<message><body>&" + b"x" * 20_000, 1) == "restricted-xml"


async def test_wide_stanzas(siege: Siege) -> None:
    """Stanzas of 9000 elements, a MiB of them at once: others have their turns between them, and all are answered."""
    bystander = await siege.bystander()
    raw = await siege.clear_session("tybalt")
    wide = b"<iq type='get' to='nobody@capulet.example' id='1'><x xmlns='urn:x'>" + b"<a/>" * 9_000 + b"</x></iq>"
    received: list[str] = []

    async def attack() -> None:
        received.extend(await floods(raw, wide * 30))

    assert await turns_during(bystander, attack()) > 3
    assert received == ["service-unavailable"] * 30


@pytest.mark.parametrize(
    "form", [b"<n%d/>", b"<n a%d=''/>", b"<n xmlns='urn:%d'/>"], ids=["elements", "attributes", "namespaces"]
)
async def test_names_that_never_repeat(siege: Siege, form: bytes) -> None:
    """200 000 names, none of them twice: the parser's memory of them is bounded, whoever has what came last."""
    raw = await siege.clear_session("tybalt")
    stanzas = []
    for start in range(0, 200_000, 500):
        names = b"".join(form % number for number in range(start, start + 500))
        stanzas.append(b"<iq type='get' to='capulet.example' id='1'><x xmlns='urn:x'>" + names + b"</x></iq>")
    before = siege.deployment.forgets_peak()
    received = await floods(raw, b"".join(stanzas))
    assert received == ["service-unavailable"] * len(stanzas)
    assert siege.deployment.peak() - before < 24 * 1024


async def test_small_pieces_of_many_stanzas(siege: Siege) -> None:
    """Thirty sessions in the middle of a large stanza, which comes in pieces of one character each, cost little more
    than what they have sent."""
    sessions = [await siege.clear_session(f"mallory{number}") for number in range(30)]
    before = siege.deployment.forgets_peak()
    for raw in sessions:
        await raw.sends(b"<message><body>")
    for _ in range(2000):
        for raw in sessions:
            await raw.sends("\u4e2d".encode())
    for raw in sessions:
        await raw.sends(b"</body></message>")
        await raw.pings(CAPULET)
    assert siege.deployment.peak() - before < 8 * 1024
