"""Addresses and ids that are meant to break something: prepared, refused or echoed, and always well-formed."""

import unicodedata
from typing import Final
from xml.sax.saxutils import quoteattr

import pytest

from tests.e2e.cast import PASSWORD
from tests.e2e.deployment import CAPULET

from .fortress import Siege, condition_of, floods, turns_during

RESOURCES: Final = {
    "1023 bytes": "x" * 1023,
    "1023 bytes of CJK": "\u4e2d" * 341,
    "flowers": "\U0001f339" * 255,
    "letters with many marks": "a" + "\u0315\u0300\u05ae\u0316" * 125,
    "right to left": "\u05d0\u05d1\u05d2 abc \u0627\u0628",
    "quotes and brackets": "'\"<>&/@;]]>",
    "ideographic space": "a\u3000b",
    "Hangul in pieces": "\u1112\u1161\u11ab" * 100,
}
NO_RESOURCES: Final = {
    "1024 bytes": "x" * 1024,
    "341 letters and one": "\u4e2d" * 342,
    "line break": "a\nb",
    "tabulator": "a\tb",
    "zero-width space": "a\u200bb",
    "soft hyphen": "a\u00adb",
    "right-to-left override": "a\u202eb",
    "byte order mark": "\ufeffa",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "an old Hangul letter alone": "\u115f",
}
IDS: Final = [
    "a\nb",
    "a\r\nb",
    "a\tb",
    "'\"",
    "<x/>",
    "&amp;",
    "]]>",
    " ",
    "\u2028",
    "\U0001f339" * 1000,
    "x" * 100_000,
]


async def binding(siege: Siege, resource: str) -> tuple[str | None, str]:
    """Bind a resource; return the condition of the error and the resource that was bound."""
    jid = siege.account("tybalt")
    raw = await siege.raw("clear")
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-1", jid.partition("@")[0], PASSWORD) == "success"
    await raw.opens(CAPULET)
    text = resource.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\t", "&#9;")
    await raw.sends(
        f"<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{text}</resource></bind></iq>"
    )
    answer = await raw.receives()
    bound = "".join(answer.itertext()) if answer.get("type") == "result" else ""
    if bound:
        await raw.pings(CAPULET)
        await raw.sends(f"<message to={quoteattr(bound)} id='m'><body>me</body></message>")
        assert (await raw.receives()).get("from") == bound
        await raw.sends("</stream:stream>")
    return condition_of(answer), bound.partition("/")[2]


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
async def test_resources(siege: Siege, resource: str) -> None:
    """RFC 7622, 3.4: what OpaqueString allows is bound, and a message finds its way there and back."""
    condition, bound = await binding(siege, resource)
    assert condition is None
    assert bound == unicodedata.normalize("NFC", resource.replace("\u3000", " "))


@pytest.mark.parametrize("resource", NO_RESOURCES.values(), ids=NO_RESOURCES)
async def test_no_resources(siege: Siege, resource: str) -> None:
    """RFC 6120, 7.7.2.1: whatever else is a bad request."""
    assert await binding(siege, resource) == ("bad-request", "")


@pytest.mark.parametrize("ident", IDS, ids=range(len(IDS)))
async def test_ids_come_back(siege: Siege, ident: str) -> None:
    """An id comes back as it was, line breaks and quotes included, in results, errors and echoes."""
    raw = await siege.clear_session("tybalt")
    written = quoteattr(ident, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    await raw.sends(f"<iq type='get' id={written} to='{CAPULET}'><ping xmlns='urn:xmpp:ping'/></iq>")
    await raw.sends(f"<iq type='get' id={written} to='{CAPULET}'><x xmlns='urn:x'/></iq>")
    await raw.sends(f"<iq type='get' id={written} to='{CAPULET}'/>")
    await raw.sends(f"<message id={written} to='nobody@{CAPULET}'><body>{'y' * 10}</body></message>")
    await raw.sends(f"<message id={written} to='@'/>")
    answers = [await raw.receives() for _ in range(5)]
    assert [answer.get("id") for answer in answers] == [ident] * 5
    assert [condition_of(answer) for answer in answers] == [
        None, "service-unavailable", "bad-request", "service-unavailable", "jid-malformed",
    ]  # fmt: skip


NO_ADDRESSES: Final = [
    "@", "@capulet.example", "a@", "a@b@capulet.example", "/x", "capulet.example/", "a@capulet.example/",
    "a b@capulet.example", "a@-capulet.example", "a@capulet..example", "a@[::1", "a@[::1%25lo]", "a@" + "x" * 64,
    "x" * 1024 + "@capulet.example", "a@capulet.example/" + "\u4e2d" * 342, "a@" + "x." * 600, "\u200b@capulet.example",
    "a\u0378@capulet.example", "\u05d0a@capulet.example", "a@xn--zz--zz.example",
]  # fmt: skip


@pytest.mark.parametrize("address", NO_ADDRESSES, ids=range(len(NO_ADDRESSES)))
async def test_no_addresses(siege: Siege, address: str) -> None:
    """RFC 6120, 8.3.3.8: a `to` that is no address."""
    raw = await siege.clear_session("tybalt")
    for stanza in ("<message to={}><body/></message>", "<iq type='get' id='1' to={}><x xmlns='urn:x'/></iq>"):
        assert await floods(raw, stanza.format(quoteattr(address)).encode()) == ["jid-malformed"]


@pytest.mark.parametrize("sender", ["mercutio@capulet.example", "capulet.example", "@", "", "x" * 5000, "\u200b@a"])
async def test_forged_senders(siege: Siege, sender: str) -> None:
    """RFC 6120, 8.1.2.1: nobody speaks for somebody else."""
    raw = await siege.clear_session("tybalt")
    await raw.sends(f"<message from={quoteattr(sender)} to='{CAPULET}'/>")
    assert await raw.receives_stream_error() == "invalid-from"


async def test_addresses_that_are_dear(siege: Siege) -> None:
    """Long addresses that need all of PRECIS, no two alike: others have their turns between them."""
    bystander = await siege.bystander()
    raw = await siege.clear_session("tybalt")
    part = "\u1e9e\u0439\u4e2d\u0e01" * 80
    stanzas = "".join(f"<message to='{part}{number}@capulet.example/{part}'><body/></message>" for number in range(300))
    received: list[str] = []

    async def attack() -> None:
        received.extend(await floods(raw, stanzas.encode()))

    assert await turns_during(bystander, attack()) > 5
    assert received == ["service-unavailable"] * 300
