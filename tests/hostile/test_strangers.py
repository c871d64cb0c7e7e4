"""Those who never log in: they hold little, for a bounded time, and ask a bounded number of questions."""

import asyncio
import os
import re
from typing import Any, Final

import pytest

from tests.e2e.deployment import CAPULET
from tests.e2e.raw import Raw, outcome

from .fortress import GUESSES, Fortress, Siege, pours, provokes, turns_during

STARTTLS: Final = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
FORM: Final = "<iq type='get' id='{n}'><query xmlns='jabber:iq:register'/></iq>"
REQUESTS: Final = 20
HEADER: Final = (
    f"<stream:stream to='{CAPULET}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
CLIENT_HELLO: Final = bytes.fromhex("16030100f8010000f40303")  # the rest never comes


class TestTime:
    """Architecture rule 9: an unauthenticated connection ends within its time, trickling or not."""

    async def test_who_says_nothing(self, impatient: Fortress) -> None:
        """A connection on which nothing is said ends with a stream error."""
        async with await Raw.connects(impatient.place("starttls")) as raw:
            assert await raw.receives_stream_error() == "connection-timeout"

    @pytest.mark.parametrize("begun", [HEADER, HEADER[:-1], HEADER + "<auth a='"], ids=["stream", "header", "tag"])
    async def test_who_trickles(self, impatient: Fortress, begun: str) -> None:
        """Neither does a byte now and then help: the time is that of the whole login."""
        async with await Raw.connects(impatient.place("starttls")) as raw:
            await raw.sends(begun)
            ending = asyncio.ensure_future(raw.receives_stream_error())
            for _ in range(9_000):
                await pours(raw, b" ")
            assert await ending == "connection-timeout"

    @pytest.mark.parametrize("begun", [b"", CLIENT_HELLO, CLIENT_HELLO + bytes(100)], ids=["none", "head", "part"])
    async def test_who_does_not_finish_tls(self, impatient: Fortress, begun: bytes) -> None:
        """A handshake that stops half-way is cut off."""
        async with await Raw.connects(impatient.place("direct")) as raw:
            await raw.sends(begun)
            await raw.is_cut_off()

    async def test_many_at_once(self, siege: Siege) -> None:
        """2000 connections that say nothing keep nobody out, and hold little memory."""
        before = siege.deployment.forgets_peak()
        silent = await asyncio.gather(*(siege.raw() for _ in range(2000)))
        bystander = await siege.bystander()
        await bystander.pings(CAPULET)
        assert siege.deployment.peak() - before < 2000 * 40
        for raw in silent:
            await raw.closes()


class TestTls:
    """What comes in the place of a handshake, or beside it."""

    @pytest.mark.parametrize("role", ["direct", "starttls"])
    @pytest.mark.parametrize(
        "data",
        [b"GET / HTTP/1.1\r\n\r\n", bytes(1000), b"\x16\x03\x01\xff\xff" + bytes(70_000), os.urandom(500)],
        ids=["HTTP", "zeros", "a record too long", "noise"],
    )
    async def test_no_client_hello(self, siege: Siege, role: str, data: bytes) -> None:
        """Garbage ends the connection; at most an alert comes back."""
        raw = await siege.raw(role)
        if role == "starttls":
            await raw.opens(CAPULET)
            await raw.sends(STARTTLS)
            await raw.receives()
        await pours(raw, data)
        assert re.fullmatch(rb"(\x15\x03[\x00-\x04]\x00\x02..)*", await raw.is_cut_off(), re.DOTALL)

    async def test_torn(self, siege: Siege) -> None:
        """Whoever leaves in the middle of a handshake leaves nothing behind."""
        for _ in range(50):
            raw = await siege.raw("direct")
            await raw.sends(CLIENT_HELLO)
            await raw.closes()
        await (await siege.bystander()).pings(CAPULET)

    @pytest.mark.parametrize(
        "behind",
        [
            "<iq type='get' id='1'/>",
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
            "x",
        ],
    )
    async def test_bytes_behind_starttls(self, siege: Siege, behind: str) -> None:
        """5.4.3.3: what is slipped in behind `<starttls/>` ends the stream, and is never read as if it were protected."""
        raw = await siege.raw()
        await raw.opens(CAPULET)
        assert await provokes(raw, (STARTTLS + behind).encode()) == "policy-violation"

    async def test_bytes_between_starttls_and_handshake(self, siege: Siege) -> None:
        """What comes in clear behind `<proceed/>` is no TLS, and ends the connection."""
        raw = await siege.raw()
        await raw.opens(CAPULET)
        await raw.sends(STARTTLS)
        await raw.receives()
        await pours(raw, b"<iq type='get' id='1'/>")
        await raw.is_cut_off()


class TestQuestions:
    """RFC 6120, 7.1 and XEP-0077: what may be asked before login is asked a few times."""

    async def test_forms(self, siege: Siege) -> None:
        """The form of in-band registration is shown so many times, and then the stream ends."""
        raw = await siege.secured()
        await raw.opens(CAPULET)
        await raw.sends("".join(FORM.format(n=number) for number in range(REQUESTS + 1)))
        assert [(await raw.receives()).get("id") for _ in range(REQUESTS)] == [str(n) for n in range(REQUESTS)]
        assert await raw.receives_stream_error() == "policy-violation"

    async def test_flood_of_forms(self, siege: Siege) -> None:
        """A MiB of such requests delays nobody, read or unread, and fills no memory with answers."""
        bystander = await siege.bystander()
        await bystander.pings(CAPULET)
        before = siege.deployment.forgets_peak()
        requests = "".join(FORM.format(n=number) for number in range(20_000)).encode()
        for _ in range(3):
            raw = await siege.raw("clear")
            await raw.opens(CAPULET)
            assert await turns_during(bystander, pours(raw, requests)) >= 1
            assert await raw.receives_stream_error() == "policy-violation"
        assert siege.deployment.peak() - before < 8 * 1024

    async def test_stanzas(self, siege: Siege) -> None:
        """7.1: no stanza before a resource is bound."""
        for stanza in ("<message/>", "<presence/>", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"):
            raw = await siege.secured()
            await raw.opens(CAPULET)
            assert await provokes(raw, stanza.encode()) == "not-authorized"

    async def test_resources_without_end(self, siege: Siege) -> None:
        """7.6: whoever has authenticated tries a few times to bind a resource."""
        jid = siege.account("tybalt")
        raw = await siege.secured()
        await raw.opens(CAPULET)
        assert await raw.authenticates("SCRAM-SHA-1", jid.partition("@")[0], "a rose by any other name") == "success"
        await raw.opens(CAPULET)
        bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>\u200b</resource></bind></iq>"
        await raw.sends(bind * (REQUESTS + 1))
        answers = [await raw.receives() for _ in range(REQUESTS)]
        assert {answer.get("type") for answer in answers} == {"error"}
        assert await raw.receives_stream_error() == "policy-violation"


class TestGuesses:
    """RFC 6120, 6.4.5 and 13.9.4: logins that fail."""

    async def test_three_on_a_stream(self, siege: Siege) -> None:
        """The last of a few tries ends the stream."""
        username = siege.account("rosaline").partition("@")[0]
        raw = await siege.secured()
        await raw.opens(CAPULET)
        for _ in range(3):
            assert await raw.authenticates("SCRAM-SHA-1", username, "wrong") == "not-authorized"
        assert await raw.receives_stream_error() == "policy-violation"

    async def test_many_streams(self, siege: Siege) -> None:
        """Guesses at one account from many streams are answered later and later, while its owner may come in."""
        username = siege.account("rosaline").partition("@")[0]
        bystander = await siege.bystander()

        async def guesses(raw: Raw) -> Any:
            await raw.opens(CAPULET)
            return await raw.authenticates("SCRAM-SHA-1", username, "wrong")

        raws = [await siege.secured() for _ in range(GUESSES + 5)]
        attack = asyncio.gather(*(guesses(raw) for raw in raws))
        assert await turns_during(bystander, _all(attack)) > 3
        assert set(await attack) == {"not-authorized"}
        await (await siege.session("rosaline")).pings(CAPULET)

    @pytest.mark.parametrize(
        ("mechanism", "data", "condition"),
        [
            ("PLAIN", b"\0" * 7000, "malformed-request"),
            ("PLAIN", b"\0\xff\0x", "malformed-request"),
            ("PLAIN", b"\0" + b"x" * 7000 + b"\0y", "not-authorized"),
            ("SCRAM-SHA-1", b"n,,n=" + b"x" * 7000 + b",r=1", "not-authorized"),
            ("SCRAM-SHA-1", b"n,,n=" + b"=2C" * 2000 + b",r=1", "not-authorized"),
            ("SCRAM-SHA-1", b"n,,n=a,r=", "malformed-request"),
            ("SCRAM-SHA-1", b"p=tls-unique,,n=a,r=1", "malformed-request"),
            ("EXTERNAL", b"x" * 7000, "invalid-mechanism"),
            ("x" * 5000, b"", "invalid-mechanism"),
        ],
    )
    async def test_malformed(self, siege: Siege, mechanism: str, data: bytes, condition: str) -> None:
        """6.5: nonsense is told as such, at its full length."""
        raw = await siege.secured()
        await raw.opens(CAPULET)
        assert outcome(await raw.says(mechanism, data)) == condition

    @pytest.mark.parametrize("text", ["====", "AGEAYg", "AGEAYg== ==", "AGEAYh==", "\u00e4" * 1000, "x" * 9001])
    async def test_no_base64(self, siege: Siege, text: str) -> None:
        """6.5.5: nor is base64 guessed at."""
        raw = await siege.secured()
        await raw.opens(CAPULET)
        await raw.sends(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>")
        assert outcome(await raw.receives()) == "incorrect-encoding"


async def _all(gathered: Any) -> None:
    await gathered
