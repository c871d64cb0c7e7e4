"""Stanzas without end: each is answered exactly, in order, and others have their turns between them."""

import asyncio
from typing import Final

import pytest

from tests.e2e.cast import PASSWORD
from tests.e2e.deployment import CAPULET
from tests.e2e.raw import Raw

from .fortress import Siege, floods, numbered, pours, turns_during

BUFFER: Final = 4096
"""What the kernel holds for a client that does not read, in bytes; by itself it would hold megabytes."""

FLOODS: Final = {
    "presence": ("<presence/>", 20_000, None),
    "presence to oneself": ("<presence to='{me}'><status>{n}</status></presence>", 3_000, None),
    "malformed requests": ("<iq/>", 5_000, "bad-request"),
    "requests without payload": ("<iq type='get' id='{n}'/>", 5_000, "bad-request"),
    "requests that nobody answers": ("<iq type='get' id='{n}'><x xmlns='urn:x'/></iq>", 5_000, "service-unavailable"),
    "answers that nobody asked for": ("<iq type='result' id='{n}' to='capulet.example'/>", 5_000, None),
    "errors": ("<message type='error' to='nobody{n}@capulet.example'><body/></message>", 1_000, None),
    "messages for nobody": ("<message to='nobody{n}@capulet.example'><body/></message>", 2_000, "service-unavailable"),
    "requests to nobody": (
        "<iq type='get' id='{n}' to='nobody{n}@capulet.example'><x xmlns='urn:x'/></iq>", 2_000, "service-unavailable",
    ),
    "messages far away": ("<message to='x@far{n}.example'><body/></message>", 2_000, "remote-server-not-found"),
    "probes": ("<presence type='probe' to='nobody{n}@capulet.example'/>", 2_000, None),
    "requests for the roster": ("<iq type='get' id='{n}'><query xmlns='jabber:iq:roster'/></iq>", 3_000, None),
    "white space": (" " * 1000, 20_000, None),
}  # fmt: skip


@pytest.mark.parametrize(("form", "count", "expected"), FLOODS.values(), ids=FLOODS)
async def test_flood(siege: Siege, form: str, count: int, expected: str | None) -> None:
    """Architecture rule 8: everybody has their turn, and each stanza of the flood has its answer."""
    bystander = await siege.bystander()
    raw = await siege.clear_session("tybalt")
    data = numbered(form.replace("{me}", siege.account("tybalt")), range(count))
    received: list[str] = []

    async def attack() -> None:
        received.extend(await floods(raw, data))

    assert await turns_during(bystander, attack()) > 2
    assert received == ([] if expected is None else [expected] * count)


async def test_many_who_flood(siege: Siege) -> None:
    """Twenty sessions that flood together leave their turns to the others, and their backlog is not kept as elements."""
    bystander = await siege.bystander()
    raws = [await siege.clear_session(f"mallory{number}") for number in range(20)]
    before = siege.deployment.forgets_peak()
    attack = asyncio.gather(*(floods(raw, b"<iq/>" * 5_000) for raw in raws))

    async def ends() -> None:
        assert await attack == [["bad-request"] * 5_000] * 20

    assert await turns_during(bystander, ends()) > 2
    assert siege.deployment.peak() - before < 32 * 1024


class TestUnread:
    """A client that does not read costs itself its stream, and nobody else anything."""

    @pytest.mark.parametrize(
        "question",
        [
            "<iq type='get' id='{n}' to='capulet.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
            "<iq type='get' id='{n}'/>",
            "<message to='nobody{n}@capulet.example'><body>" + "x" * 500 + "</body></message>",
        ],
        ids=["results", "errors", "bounces"],
    )
    async def test_answers(self, siege: Siege, question: str) -> None:
        """Answers that are not read end the stream with resource-constraint, and are kept only up to `send_buffer`."""
        bystander = await siege.bystander()
        raw = await siege.clear_session("tybalt", BUFFER)
        before = siege.deployment.forgets_peak()
        (node,) = siege.deployment.nodes
        logged = len(node.log())
        assert await turns_during(bystander, pours(raw, numbered(question, range(100_000)))) >= 1
        node.logs("does not read its stream", logged)
        assert await raw.receives_stream_error() == "resource-constraint"
        assert siege.deployment.peak() - before < 16 * 1024

    async def test_messages_from_others(self, siege: Siege) -> None:
        """Nor does a recipient that sleeps delay the sender; what comes behind its stream's end waits, up to a limit."""
        sleeper = await siege.clear_session("sleeper", BUFFER)
        raw = await siege.clear_session("tybalt")
        to = siege.account("sleeper")
        message = f"<message to='{to}'><body>{'x' * 8000}</body></message>".encode()
        await sleeper.sends("<presence/>")
        assert await floods(raw, message * 2000) == []
        assert await sleeper.receives_stream_error() == "resource-constraint"


async def test_sessions_that_come_and_go(siege: Siege) -> None:
    """A resource that is taken over again and again: the older one is told of the conflict, the newest is served."""
    jid = siege.account("tybalt")

    async def arrives() -> Raw:
        raw = await siege.raw("clear")
        await raw.opens(CAPULET)
        assert await raw.authenticates("SCRAM-SHA-1", jid.partition("@")[0], PASSWORD) == "success"
        await raw.binds(CAPULET, "same")
        return raw

    bystander = await siege.bystander()
    last = await arrives()
    for _ in range(30):
        before, last = last, await arrives()
        assert await before.receives_stream_error() == "conflict"
        await bystander.pings(CAPULET)
    await last.pings(CAPULET)
