"""The siege: what is said, what is heard, and how it is told. The attacks themselves need a server."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bench.hostile.__main__ import ATTACKS
from bench.hostile.attacker import Line, outcomes
from bench.hostile.report import Outcome, report
from bench.hostile.storms import many

ERROR = b"<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"


def test_many_stanzas_in_few_pieces() -> None:
    """Every number once, in order, however many are joined; a number may stand in several places."""
    pieces = list(many(b"<a b='%d' c='%d'/>", 6, 3))
    assert len(pieces) == 2
    assert re.findall(rb"b='(\d)' c='(\d)'", b"".join(pieces)) == [(b"%d" % n, b"%d" % n) for n in range(6)]


def test_every_attack_says_what_it_is() -> None:
    """The report shows what is written over an attack; no two have one name."""
    assert all(attack.__doc__ for attack in ATTACKS)
    assert len({attack.__name__ for attack in ATTACKS}) == len(ATTACKS)


def test_report() -> None:
    """Seconds as they are, memory in MiB, the log in KiB, waits by quantiles."""
    outcome = Outcome("Noise", "closed", 1.25, 0.5, 102_400, 204_800, 102_400, 2048, [1.0, 2.0, 30.0])
    assert outcome.line() == "| Noise | closed | 1.2 | 0.50 | 100 | 200 | 100 | 2 | 2.0 | 30 | 30 |"
    text = report([outcome, outcome], "abcdef0", 2)
    assert "xmppd abcdef0" in text
    assert text.count(outcome.line()) == 2


def test_nobody_was_served() -> None:
    """A bystander that got no answer at all has no waits."""
    assert Outcome("Noise", "closed", 1, 1, 0, 0, 0, 0, []).line().endswith("| 0.0 | 0 | 0 |")


async def _server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one line by its kind."""
    word = await reader.readline()
    writer.write(ERROR if word == b"broken\n" else b"<x id='1'/>")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def _line(port: int) -> AsyncIterator[Line]:
    """A line that is closed to the last when it is left."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with Line(reader, writer) as line:
        yield line
    await writer.wait_closed()


async def _talk() -> tuple[bytes, str, str]:
    async with await asyncio.start_server(_server, "127.0.0.1", 0) as server, AsyncExitStack() as stack:
        port = server.sockets[0].getsockname()[1]
        lines = [await stack.enter_async_context(_line(port)) for _ in range(4)]
        for line, word in zip(lines, (b"hello\n", b"broken\n", b"broken\n", b"hello\n"), strict=True):
            line.send(word)
        heard = (await lines[0].hears(re.compile(rb"id='(\d)'")))[1]
        fate = await lines[3].fate()
        return heard, await outcomes(lines[:3]), fate


def test_what_becomes_of_lines() -> None:
    """A stream error is told by its condition, an end without one as such."""
    heard, told, fate = asyncio.run(_talk())
    assert heard == b"1"
    assert told == "closed x 1, policy-violation x 2"
    assert fate == "taken, the session goes on"
