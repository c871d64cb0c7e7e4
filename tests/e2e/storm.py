"""Clients that all come back at once, each by one of three ways."""

import asyncio
import hashlib
import hmac
import os
import ssl
import uuid
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final
from xml.etree import ElementTree as ET

from tests.faults.stream import HOST, Stream
from tests.scenario.xml import show

from .node import Node
from .scram import Scram

PASSWORD: Final = "a rose by any other name"
PER_ACCOUNT: Final = 10
SASL2: Final = "{urn:xmpp:sasl:2}"
FAST: Final = "{urn:xmpp:fast:0}"
BOUND: Final = "{urn:xmpp:bind:0}bound"
BIND: Final = "<bind xmlns='urn:xmpp:bind:0'><tag>storm</tag></bind>"
TOKENS: Final = "HT-SHA-256-ENDP"
"""The only one with channel binding that the standard library can do."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one storm has cost.

    :ivar clients: how many came.
    :ivar seconds: until the last of them was in.
    :ivar cpu: milliseconds of the server's processor time per login.
    :ivar connections: most connections to the database that there were at a time.
    """

    way: str
    clients: int
    seconds: float
    cpu: float
    connections: int


class Returning:
    """One client that comes back."""

    def __init__(self, node: Node, trusted: ssl.SSLContext, number: int) -> None:
        self.localpart = account(number)
        self._node = node
        self._trusted = trusted
        self._stream: Stream | None = None
        self._agent = f"<user-agent id='{uuid.uuid4()}'><software>Storm</software></user-agent>"
        self._token = ""
        self._certificate = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_certificate(node))).digest()

    async def by_sasl(self) -> None:
        """RFC 6120: authenticate, open the stream anew, bind."""
        stream = await self._connects()
        await stream.logs_in(self.localpart, PASSWORD)
        await stream.binds(self._agent[16:40])
        await self._shows_itself(stream)

    async def by_sasl2(self) -> None:
        """XEP-0388 and XEP-0386: authenticate and bind together; ask for a token, too."""
        stream = await self._connects()
        await stream.opens()
        scram = Scram("SCRAM-SHA-256", self.localpart, PASSWORD)
        wish = f"<request-token xmlns='urn:xmpp:fast:0' mechanism='{TOKENS}'/>"
        stream.says(_authenticate("SCRAM-SHA-256", scram.first(), self._agent, BIND, wish))
        challenge = await stream.receives()
        assert challenge.tag == f"{SASL2}challenge", show(challenge)
        final = b64encode(scram.final(b64decode(challenge.text or ""))).decode()
        stream.says(f"<response xmlns='urn:xmpp:sasl:2'>{final}</response>")
        success = await self._succeeds(stream)
        token = success.find(f"{FAST}token")
        assert token is not None, show(success)
        self._token = token.attrib["token"]
        await self._shows_itself(stream)

    async def by_fast(self) -> None:
        """XEP-0484: show the token, and bind, in one round trip."""
        stream = await self._connects()
        await stream.opens()
        proof = hmac.digest(self._token.encode(), b"Initiator" + self._certificate, "sha256")
        data = self.localpart.encode() + b"\0" + proof
        stream.says(_authenticate(TOKENS, data, self._agent, BIND, "<fast xmlns='urn:xmpp:fast:0'/>"))
        await self._succeeds(stream)
        await self._shows_itself(stream)

    def drops(self) -> None:
        """Lose the connection."""
        if self._stream is not None:
            self._stream.drops()
            self._stream = None

    async def _connects(self) -> Stream:
        self._stream = await Stream.connects(self._node.place("c2s"), self._trusted)
        return self._stream

    async def _succeeds(self, stream: Stream) -> ET.Element:
        success = await stream.receives()
        assert success.tag == f"{SASL2}success", show(success)
        assert success.find(BOUND) is not None, show(success)
        await stream.receives()  # the features of the stream, which goes on
        return success

    async def _shows_itself(self, stream: Stream) -> None:
        """Send initial presence; the server shows it to all resources of the account, so that it comes back."""
        stream.says("<presence id='mine'/>")
        while (await stream.receives()).get("id") != "mine":
            pass


Way = Callable[[Returning], Awaitable[None]]
WAYS: Final[dict[str, Way]] = {
    "SCRAM-SHA-1, RFC 6120": Returning.by_sasl,
    "SCRAM-SHA-256, SASL2 and Bind 2": Returning.by_sasl2,
    f"{TOKENS}, FAST": Returning.by_fast,
}


def account(number: int) -> str:
    """Return the localpart of a client's account."""
    return f"guest-{number // PER_ACCOUNT}"


async def storm(
    node: Node, clients: Sequence[Returning], name: str, way: Way, connections: Callable[[], int]
) -> Figures:
    """Let all come at once; whoever is refused, or waits in vain, fails it.

    :param connections: returns how many connections to the database there are.
    """
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, await asyncio.to_thread(connections))

    cpu, began = _cpu(node), perf_counter()
    watching = asyncio.ensure_future(watch())
    try:
        await asyncio.gather(*(way(client) for client in clients))
    finally:
        watching.cancel()
    seconds = perf_counter() - began
    return Figures(name, len(clients), seconds, 1000 * (_cpu(node) - cpu) / len(clients), most)


def table(figures: Sequence[Figures]) -> str:
    """Return the figures for people, as Markdown."""
    lines = [
        "| way | clients | seconds | ms of CPU a login | database connections |",
        "| --- | --: | --: | --: | --: |",
    ]
    for each in figures:
        row = (each.way, each.clients, f"{each.seconds:.1f}", f"{each.cpu:.1f}", each.connections)
        lines.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(lines) + "\n"


def _authenticate(mechanism: str, data: bytes, *inline: str) -> str:
    first = f"<initial-response>{b64encode(data).decode()}</initial-response>"
    return f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>{first}{''.join(inline)}</authenticate>"


def _certificate(node: Node) -> str:
    return (node.folder / f"{HOST}.crt").read_text()


def _cpu(node: Node) -> float:
    """Return the processor time that a process has used, in seconds, all of its threads together."""
    fields = Path(f"/proc/{node.running.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
