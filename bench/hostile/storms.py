"""Attacks of many stanzas: they need a session."""

import asyncio
from collections.abc import Iterable, Iterator

from .attacker import Attacker

PING = b"<iq type='get' id='%d' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
DISCO = b"<iq type='get' id='%d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
ROSTER = b"<iq type='get' id='%d'><query xmlns='jabber:iq:roster'/></iq>"
CONTACT = b"<iq type='set' id='%d'><query xmlns='jabber:iq:roster'><item jid='contact%d@far.example'/></query></iq>"
EXOTIC = "\u1e9e\u0439\u4e2d\u0e01"  # letters of one, two and three bytes with tables of their own


def many(form: bytes, count: int, together: int = 500) -> Iterator[bytes]:
    """Yield numbered stanzas, many in one piece."""
    width = form.count(b"%d")
    for start in range(0, count, together):
        yield b"".join(form % ((number,) * width) for number in range(start, start + together))


async def _flooded(attacker: Attacker, pieces: Iterable[bytes], sessions: int = 1, *, reads: bool = True) -> str:
    lines = [await attacker.session(f"mallory{number}") for number in range(sessions)]
    given = list(pieces)
    if reads:
        for line in lines:
            line.listens()
    sent = await asyncio.gather(*(line.floods(given) for line in lines))
    fates = {await line.fate() for line in lines}
    return f"{', '.join(sorted(fates))} after {sum(sent) >> 10} KiB"


async def presences(attacker: Attacker) -> str:
    """<presence/>, 100 000 times."""
    return await _flooded(attacker, many(b"<presence/>", 100_000, 5000))


async def malformed(attacker: Attacker) -> str:
    """<iq/>, 20 000 times on each of 20 sessions."""
    return await _flooded(attacker, many(b"<iq/>", 20_000, 10_000), 20)


async def pings(attacker: Attacker) -> str:
    """50 000 pings, the answers read."""
    return await _flooded(attacker, many(PING, 50_000))


async def discos_unread(attacker: Attacker) -> str:
    """Questions about the server's features, the answers never read."""
    return await _flooded(attacker, many(DISCO, 500_000), reads=False)


async def shown_to_all(attacker: Attacker) -> str:
    """Directed presence to 100 000 addresses of this server."""
    return await _flooded(attacker, many(b"<presence to='nobody%d@localhost'/>", 100_000))


async def to_nobody(attacker: Attacker) -> str:
    """Messages to 10 000 accounts that do not exist, from each of four sessions."""
    form = b"<message to='nobody%d@localhost' id='%d'><body>hello</body></message>"
    return await _flooded(attacker, many(form, 10_000), 4)


async def contacts(attacker: Attacker) -> str:
    """2000 contacts for a roster that may have 1000, then the roster 5000 times."""
    line = await attacker.session("collector")
    line.send(ROSTER % 0)
    line.listens()
    await line.floods(many(CONTACT, 2000))
    await line.floods(many(ROSTER, 5000, 20))
    return f"{await line.fate()}, {line.received >> 20} MiB came back"


async def subscriptions(attacker: Attacker) -> str:
    """Requests for the presence of 3000 accounts that do not exist."""
    return await _flooded(attacker, many(b"<presence type='subscribe' to='nobody%d@localhost'/>", 3000))


async def exotic(attacker: Attacker) -> str:
    """5000 messages to addresses of 3 KB, no two alike, that need all of PRECIS."""
    part = (EXOTIC * 85)[:330]

    def pieces() -> Iterator[bytes]:
        for number in range(5000):
            yield f"<message to='{part}{number}@localhost/{part}{number}'/>".encode()

    return await _flooded(attacker, pieces())


async def to_one_that_sleeps(attacker: Attacker) -> str:
    """20 MiB of messages for a session that does not read."""
    sleeper = await attacker.session("sleeper")
    line = await attacker.session("mallory")
    line.listens()
    body = b"x" * 10_000
    await line.floods(
        b"<message to='sleeper@localhost/bench' id='%d'><body>%b</body></message>" % (n, body) for n in range(2000)
    )
    return f"sender: {await line.fate()}; sleeper: {await sleeper.outcome()}"


ATTACKS = (
    presences, malformed, pings, discos_unread, shown_to_all, to_nobody, contacts, subscriptions, exotic,
    to_one_that_sleeps,
)  # fmt: skip
