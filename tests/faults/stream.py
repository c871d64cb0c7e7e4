"""One connection of a client that counts stanzas (XEP-0198), over direct TLS (XEP-0368)."""

import asyncio
import ssl
from base64 import b64decode, b64encode
from collections import deque
from pathlib import Path
from typing import Final, Self
from xml.etree import ElementTree as ET

from tests.e2e.node import Place
from tests.e2e.raw import BIND, CLIENT, SASL, STREAM
from tests.e2e.scram import Scram
from tests.scenario.xml import show

HOST: Final = "capulet.example"
NS: Final = "urn:xmpp:sm:3"
SM: Final = f"{{{NS}}}"
CHUNK: Final = 65_536
HEADER: Final = (
    f"<?xml version='1.0'?><stream:stream to='{HOST}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
STANZAS: Final = frozenset(f"{CLIENT}{name}" for name in ("message", "presence", "iq"))


class Lost(Exception):
    """The connection is over; the text says how."""


def context(certificate: Path) -> ssl.SSLContext:
    """Return what clients trust."""
    made = ssl.create_default_context(cafile=str(certificate))
    made.set_alpn_protocols(["xmpp-client"])
    return made


class Stream:
    """A stream, on which `receives` returns one element after the other.

    :ivar heard: stanzas received since stream management was enabled.
    :ivar sent: stanzas sent since then.
    :ivar id: by which the session could be resumed.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = ET.XMLPullParser(["start", "end"])
        self._root: ET.Element | None = None
        self._depth = 0
        self._inbox: deque[ET.Element] = deque()
        self.heard = 0
        self.sent = 0
        self.id = ""

    @classmethod
    async def connects(cls, place: Place, trusted: ssl.SSLContext) -> Self:
        """Open a connection; raise `Lost` if there is nobody."""
        try:
            return cls(*await asyncio.open_connection(*place, ssl=trusted, server_hostname=HOST))
        except OSError as error:
            raise Lost(f"no connection: {error}") from error

    def says(self, text: str) -> None:
        """Write something; who has lost the connection will hear of it when it reads."""
        if not self._writer.transport.is_closing():
            self._writer.write(text.encode())

    def sends(self, stanza: str) -> None:
        """Write a stanza."""
        self.sent += 1
        self.says(stanza)

    async def receives(self) -> ET.Element:
        """Return the next element; raise `Lost` behind the last."""
        while not self._inbox:
            self._feed(await self._some_bytes())
        element = self._inbox.popleft()
        if element.tag == f"{STREAM}error":
            raise Lost(f"stream error: {show(element)}")
        return element

    async def _some_bytes(self) -> bytes:
        try:
            data = await self._reader.read(CHUNK)
        except OSError as error:
            raise Lost(str(error)) from error
        if not data:
            raise Lost("closed by the server")
        return data

    def _feed(self, data: bytes) -> None:
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            self._depth += 1 if event == "start" else -1
            if event == "start" and self._depth == 1:
                self._root = element
            elif event == "end" and self._depth == 1 and self._root is not None:
                self._root.clear()  # else a long stream would keep all its stanzas
                self._inbox.append(element)
            elif event == "end" and self._depth == 0:
                raise Lost("the stream is closed")

    def drops(self) -> None:
        """Cut the connection without a word."""
        self._writer.transport.abort()

    # The way in

    async def opens(self) -> None:
        """Open a stream, or open it anew."""
        self._parser = ET.XMLPullParser(["start", "end"])
        self._depth = 0
        self.says(HEADER)
        features = await self.receives()
        assert features.tag == f"{STREAM}features", show(features)

    async def logs_in(self, localpart: str, password: str) -> None:
        """Authenticate by SCRAM, and open the stream anew."""
        await self.opens()
        scram = Scram("SCRAM-SHA-1", localpart, password)
        first = b64encode(scram.first()).decode()
        self.says(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>{first}</auth>")
        challenge = await self.receives()
        assert challenge.tag == f"{SASL}challenge", show(challenge)
        final = b64encode(scram.final(b64decode(challenge.text or ""))).decode()
        self.says(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{final}</response>")
        success = await self.receives()
        assert success.tag == f"{SASL}success", show(success)
        await self.opens()

    async def is_forgotten(self, previous: str) -> None:
        """Ask for a session that a crash has ended: there is no such session, and nothing is counted."""
        self.says(f"<resume xmlns='{NS}' previd='{previous}' h='0'/>")
        failed = await self.receives()
        assert failed.tag == f"{SM}failed", show(failed)
        assert failed.get("h") is None, show(failed)

    async def binds(self, resource: str) -> None:
        """Bind a resource and have stanzas counted."""
        bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind>"
        self.says(f"<iq id='bind' type='set'>{bind}</iq><enable xmlns='{NS}' resume='true'/>")
        bound = await self.receives()
        assert bound.find(f"{BIND}bind/{BIND}jid") is not None, show(bound)
        enabled = await self.receives()
        assert enabled.tag == f"{SM}enabled", show(enabled)
        self.id = enabled.attrib["id"]

    # Counting

    def counts(self, element: ET.Element) -> bool:
        """Count a stanza and answer a request; return whether it is a stanza."""
        if element.tag in STANZAS:
            self.heard += 1
            return True
        if element.tag == f"{SM}r":
            self.acknowledges()
        return False

    def acknowledges(self) -> None:
        """Tell how much was received."""
        self.says(f"<a xmlns='{NS}' h='{self.heard}'/>")

    def asks(self) -> None:
        """Ask how much was received."""
        self.says(f"<r xmlns='{NS}'/>")
