"""A client that says XML and reads XML."""

import re
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from xmppd.core.client_stream import ClientStream

from .xml import SLOT, differences, parse, show

if TYPE_CHECKING:
    from .server import Server


HIGH_WATER = 65_536  # bytes that may wait before the receiver is told
XML_DECLARATION = re.compile(rb"(?=<\?xml)")


class MemoryConnection:
    """The server's end of a connection that is TLS already, as far as the server can tell.

    :ivar bindings: its channel bindings.
    :ivar certificate: the certificate that the client has shown, which is trusted if there is one.
    :ivar unread: how many bytes the client has not read.
    """

    def __init__(self, client: "Client", *, secure: bool = True, peer_address: str = "192.0.2.1") -> None:
        self.client = client
        self.bindings: dict[str, bytes] = {}
        self.certificate: bytes | None = None
        self.is_read = True
        self.held: list[bytes] = []
        self.peer_address = peer_address
        self.peer_port = 40000
        self.local_port = 5222
        self.secure = secure
        self.tls_version = "TLSv1.3" if secure else None
        self.cipher = None
        self.sni = None
        self.closed = False
        self.is_paused = False
        self.waiting: deque[bytes] = deque()
        self.unread = 0

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        if self.is_read:
            self.client.was_sent(data)
            return
        was_full = self.unread > HIGH_WATER
        self.held.append(data)
        self.unread += len(data)
        if self.unread > HIGH_WATER and not was_full:
            self.client.driver.pause_writing()

    def read_again(self) -> None:
        """Let the client have what it did not read."""
        was_full = self.unread > HIGH_WATER
        self.is_read, self.unread = True, 0
        held, self.held = self.held, []
        for data in held:
            self.client.was_sent(data)
        if was_full and not self.closed:
            self.client.driver.resume_writing()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.client.server.soon(lambda: self.client.driver.connection_lost(""))

    abort = close

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False
        if self.waiting:
            self.client.server.soon(self.pass_on)

    def pass_on(self) -> None:
        while self.waiting and not self.is_paused and not self.closed:
            self.client.driver.data_received(self.waiting.popleft())

    def pending(self) -> int:
        return self.unread

    def start_tls(self, host: str | None) -> None:
        assert not self.secure, "TLS is on already"
        self.secure = True
        self.tls_version = "TLSv1.3"
        self.waiting.clear()
        self.client.server.soon(self.client.driver.tls_established)

    def channel_bindings(self) -> Mapping[str, bytes]:
        return self.bindings if self.secure else {}

    def peer_certificate(self) -> bytes | None:
        return self.certificate

    def peer_certificate_verified(self) -> bool:
        return self.certificate is not None


class Client:
    """One connection. Verbs speak from the client's side: it `sends`, it `receives`.

    :param secure: whether the connection is TLS from the start.
    :param listener: how the port that it came to treats TLS: tls_allowed, tls_required, scram_without_tls.
    :ivar header: the attributes of the last stream header that the server sent.
    """

    def __init__(
        self,
        server: "Server",
        jid: str = "",
        *,
        secure: bool = True,
        peer_address: str = "192.0.2.1",
        **listener: bool,
    ) -> None:
        self.server = server
        self.jid = jid
        self.captured = server.captured
        self.inbox: deque[ET.Element] = deque()
        self.raw = b""
        self.stream_ended = False
        self.header: dict[str, str] = {}
        self._parser: ET.XMLPullParser | None = None
        self._depth = 0
        self.connection = MemoryConnection(self, secure=secure, peer_address=peer_address)
        self.driver: ClientStream = server.node.client(**{"tls_allowed": True, "tls_required": True, **listener})
        self.driver.connection_made(self.connection)

    # From the server

    def was_sent(self, data: bytes) -> None:
        """Read what the server writes, with a parser that is not the server's."""
        self.raw += data
        for part in XML_DECLARATION.split(data):  # a restart may leave in one piece with what came before it
            self._read(part)

    def _read(self, data: bytes) -> None:
        if self._parser is None or data.startswith(b"<?xml"):
            self._parser = ET.XMLPullParser(["start", "end"])
            self._depth = 0
        self._parser.feed(data)
        for event, element in self._parser.read_events():
            self._depth += 1 if event == "start" else -1
            if event == "start" and self._depth == 1:
                self.header = dict(element.attrib)
            elif event == "end" and self._depth == 1:
                self.inbox.append(element)
            elif event == "end" and self._depth == 0:
                self.stream_ended = True

    # Verbs

    def sends_bytes(self, data: bytes) -> None:
        """Send bytes as they are, and run the server until it is idle."""
        self.connection.waiting.append(data)
        self.connection.pass_on()
        self.server.run()

    def sends(self, text: str) -> None:
        """Send XML; what was captured is filled in."""
        filled = SLOT.sub(lambda slot: self.captured.get(slot[1], slot[0]), text.strip())
        self.sends_bytes(filled.encode())

    def receives_any(self) -> ET.Element:
        """Return the next stanza, which must be there."""
        self.server.run()
        assert self.inbox, f"{self.jid or 'the client'} received nothing"
        return self.inbox.popleft()

    def receives(self, text: str) -> ET.Element:
        """Check that the next stanza is the expected one."""
        got = self.receives_any()
        expected = parse(text)
        different = differences(expected, got, self.captured)
        assert not different, "\n".join([*different, "", "expected:", show(expected), "got:", show(got)])
        return got

    def receives_all(self, *texts: str) -> None:
        """Check that the next stanzas are the expected ones, in any order."""
        got = [self.receives_any() for _ in texts]
        for text in texts:
            expected = parse(text)
            for one in got:
                if not differences(expected, one, dict(self.captured)):
                    differences(expected, one, self.captured)
                    got.remove(one)
                    break
            else:
                raise AssertionError("\n".join(["expected:", show(expected), "got:", *map(show, got)]))

    def receives_error(self, condition: str, type: str | None = None, id: str | None = None) -> ET.Element:
        """Check that the next stanza is an error with that condition."""
        got = self.receives_any()
        assert got.get("type") == "error", show(got)
        error = got.find("{jabber:client}error")
        assert error is not None, show(got)
        assert error.find(f"{{urn:ietf:params:xml:ns:xmpp-stanzas}}{condition}") is not None, show(got)
        assert type is None or error.get("type") == type, show(got)
        assert id is None or got.get("id") == id, show(got)
        return got

    def receives_nothing(self) -> None:
        """Check that nothing came."""
        self.server.run()
        assert not self.inbox, "\n".join(show(element) for element in self.inbox)

    def forgets(self) -> None:
        """Drop what came and was not looked at."""
        self.server.run()
        self.inbox.clear()

    def receives_stream_error(self, condition: str) -> None:
        """Check that the server ended the stream with that condition."""
        got = self.receives_any()
        assert got.tag == "{http://etherx.jabber.org/streams}error", show(got)
        assert got[0].tag == f"{{urn:ietf:params:xml:ns:xmpp-streams}}{condition}", show(got)
        self.is_disconnected()

    def is_disconnected(self) -> None:
        """Check that the server closed the stream and the connection."""
        self.server.run()
        assert self.stream_ended, "the stream goes on"
        assert self.connection.closed, "the connection is open"

    def disconnects(self) -> None:
        """Close the stream in good order."""
        self.sends_bytes(b"</stream:stream>")

    def stops_reading(self) -> None:
        """Read nothing any more; what the server writes waits."""
        self.connection.is_read = False

    def reads_again(self) -> None:
        """Read what waits."""
        self.connection.read_again()
        self.server.run()

    def loses_connection(self) -> None:
        """Break the connection without a word."""
        if not self.connection.closed:
            self.connection.closed = True
            self.driver.connection_lost("connection reset")
        self.server.run()

    # Negotiation

    def opens(self, to: str) -> ET.Element:
        """Open a stream; return the features."""
        self.sends_bytes(
            f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' to='{to}'"
            " xmlns:stream='http://etherx.jabber.org/streams'>".encode()
        )
        return self.receives_any()

    def authenticates(self, localpart: str, password: str) -> ET.Element:
        """Try SASL PLAIN; return the answer."""
        message = b64encode(f"\0{localpart}\0{password}".encode()).decode()
        self.sends(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{message}</auth>")
        return self.receives_any()

    def binds(self, resource: str) -> str:
        """Bind a resource; return the full JID."""
        inner = f"<resource>{resource}</resource>" if resource else ""
        self.sends(f"<iq id='bind' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{inner}</bind></iq>")
        answer = self.receives_any()
        jid = answer.find(".//{urn:ietf:params:xml:ns:xmpp-bind}jid")
        assert jid is not None, show(answer)
        assert jid.text is not None
        return jid.text

    def logs_in(self, localpart: str, domainpart: str, resource: str, password: str) -> None:
        """Go all the way to a session."""
        self.opens(domainpart)
        answer = self.authenticates(localpart, password)
        assert answer.tag.endswith("success"), show(answer)
        self.opens(domainpart)
        self.jid = self.binds(resource)
        self.server.run()
