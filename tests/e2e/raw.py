"""A client that says XML and reads XML, over TLS by pyOpenSSL: it has the channel bindings that Python's ssl lacks."""

import asyncio
import hashlib
import socket
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from tests.scenario.xml import show

from .certificates import UserCertificate
from .node import Place
from .scram import Scram

SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
TLS = "{urn:ietf:params:xml:ns:xmpp-tls}"
BIND = "{urn:ietf:params:xml:ns:xmpp-bind}"
STREAM = "{http://etherx.jabber.org/streams}"
STREAMS = "{urn:ietf:params:xml:ns:xmpp-streams}"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
CLIENT = "{jabber:client}"
CHUNK = 65536


class Ended(Exception):
    """The server has sent everything and closed."""


def context(
    trusted: Iterable[Path], shown: UserCertificate | None = None, versions: tuple[int, int] | None = None
) -> SSL.Context:
    """Return a client's context.

    :param trusted: the certificates that the server may show.
    :param shown: what to show to a server that asks who we are.
    :param versions: the lowest and the highest version of TLS to speak, be they as weak as they may.
    """
    made = SSL.Context(SSL.TLS_CLIENT_METHOD)
    made.set_verify(SSL.VERIFY_PEER, lambda connection, certificate, error, depth, ok: bool(ok))
    for file in trusted:
        made.load_verify_locations(str(file))
    if shown is not None:
        made.use_certificate(shown.certificate)
        made.use_privatekey(shown.key)
    if versions is not None:
        made.set_cipher_list(b"ALL:@SECLEVEL=0")
        made.set_min_proto_version(versions[0])
        made.set_max_proto_version(versions[1])
    return made


class Raw:
    """One connection. Verbs speak from the client's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tls: SSL.Connection | None = None
        self._parser = ET.XMLPullParser(["start", "end"])
        self._depth = 0
        self._inbox: deque[ET.Element] = deque()
        self.stream_ended = False

    @classmethod
    async def connects(cls, place: Place, source: str = "127.0.0.1", buffer: int | None = None) -> Self:
        """Open a connection, from any address of the loopback; `buffer` is what the kernel keeps for us to read."""
        opened = socket.socket()
        opened.setblocking(False)
        if buffer is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        opened.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(opened, place)
        return cls(*await asyncio.open_connection(sock=opened))

    # TLS

    async def begins_tls(self, made: SSL.Context, host: str, protocols: Iterable[str] = ()) -> None:
        """Do a handshake at once; ask for a host, and offer application protocols if there are any.

        :raises SSL.Error: it failed.
        """
        self._tls = SSL.Connection(made, None)
        self._tls.set_tlsext_host_name(host.encode())
        offered = [name.encode() for name in protocols]
        if offered:
            self._tls.set_alpn_protos(offered)
        self._tls.set_connect_state()
        while True:
            try:
                self._tls.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                self._tls.bio_write(await self._some_bytes())
            else:
                await self._flush()
                return

    async def starts_tls(self, made: SSL.Context, host: str) -> None:
        """Ask for TLS on an open stream, then do the handshake."""
        await self.sends("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        answer = await self.receives()
        assert answer.tag == f"{TLS}proceed", show(answer)
        await self.begins_tls(made, host)

    @property
    def protocol(self) -> str:
        """The application protocol that was agreed upon."""
        return self._secured.get_alpn_proto_negotiated().decode()

    def binding(self, kind: str) -> bytes:
        """Return channel binding data: "tls-exporter" (RFC 9266) or "tls-server-end-point" (RFC 5929, 4.1)."""
        if kind == "tls-exporter":
            return self._secured.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        return hashlib.sha256(self.server_certificate).digest()

    @property
    def server_certificate(self) -> bytes:
        """The server's certificate in DER."""
        certificate = self._secured.get_peer_certificate(as_cryptography=True)
        assert certificate is not None
        return certificate.public_bytes(Encoding.DER)

    @property
    def _secured(self) -> SSL.Connection:
        assert self._tls is not None, "there is no TLS"
        return self._tls

    # Bytes

    async def sends(self, data: str | bytes) -> None:
        """Send text or bytes as they are."""
        given = data.encode() if isinstance(data, str) else data
        if self._tls is None:
            self._writer.write(given)
            await self._writer.drain()
        else:
            for start in range(0, len(given), 16384):
                self._tls.send(given[start : start + 16384])
                await self._flush()

    async def reads(self) -> bytes:
        """Return the next bytes; raise `Ended` behind the last."""
        while self._tls is not None:
            try:
                return self._tls.recv(CHUNK)
            except SSL.WantReadError:
                self._tls.bio_write(await self._some_bytes())
            except SSL.ZeroReturnError:
                raise Ended from None
        return await self._some_bytes()

    async def _some_bytes(self) -> bytes:
        try:
            data = await self._reader.read(CHUNK)
        except ConnectionError:
            data = b""
        if not data:
            raise Ended
        return data

    async def _flush(self) -> None:
        assert self._tls is not None
        try:
            self._writer.write(self._tls.bio_read(CHUNK))
        except SSL.WantReadError:
            return
        await self._writer.drain()

    async def is_cut_off(self) -> bytes:
        """Read to the end, which must come; return what came before it."""
        data = b""
        try:
            while True:
                data += await self.reads()
        except Ended:
            return data

    async def closes(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.closes()

    # XML

    async def receives(self) -> ET.Element:
        """Return the next element of the stream; raise `Ended` if there is none."""
        while not self._inbox:
            self._parser.feed(await self.reads())
            for event, element in self._parser.read_events():
                self._depth += 1 if event == "start" else -1
                if event == "end" and self._depth == 1:
                    self._inbox.append(element)
                elif event == "end" and self._depth == 0:
                    self.stream_ended = True
        return self._inbox.popleft()

    async def opens(self, host: str) -> ET.Element:
        """Open a stream, or open it anew; return the features."""
        self._parser = ET.XMLPullParser(["start", "end"])
        self._depth = 0
        await self.sends(
            f"<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xmlns='jabber:client' "
            f"xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        features = await self.receives()
        assert features.tag == f"{STREAM}features", show(features)
        return features

    async def receives_stream_error(self) -> str:
        """Read up to a stream error, which must come; return its condition. The server must close behind it."""
        while (element := await self.receives()).tag != f"{STREAM}error":
            pass
        await self.is_cut_off()
        return element[0].tag.removeprefix(STREAMS)

    async def pings(self, host: str) -> None:
        """Wait for the answer to a ping; what comes before it is dropped."""
        await self.sends(f"<iq id='barrier' type='get' to='{host}'><ping xmlns='urn:xmpp:ping'/></iq>")
        while (await self.receives()).get("id") != "barrier":
            pass

    # SASL

    async def says(self, mechanism: str, data: bytes | None = None) -> ET.Element:
        """Begin an authentication; return the server's answer."""
        text = "" if data is None else b64encode(data).decode() or "="
        await self.sends(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{text}</auth>")
        return await self.receives()

    async def authenticates(
        self, mechanism: str, username: str, password: str, binding: tuple[str, bytes] | None = None
    ) -> str:
        """Authenticate by PLAIN or SCRAM; return "success", or the condition of the failure."""
        if mechanism == "PLAIN":
            return outcome(await self.says("PLAIN", f"\0{username}\0{password}".encode()))
        scram = Scram(mechanism, username, password, binding)
        challenge = await self.says(mechanism, scram.first())
        if challenge.tag != f"{SASL}challenge":
            return outcome(challenge)
        answer = b64encode(scram.final(b64decode(challenge.text or ""))).decode()
        await self.sends(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{answer}</response>")
        last = await self.receives()
        if last.tag == f"{SASL}success":
            assert scram.accepts(b64decode(last.text or "")), "the server does not know the account"
        return outcome(last)

    async def binds(self, host: str, resource: str = "") -> str:
        """Open the stream anew behind SASL and bind a resource; return the full JID."""
        await self.opens(host)
        inner = f"<resource>{resource}</resource>" if resource else ""
        await self.sends(f"<iq id='bind' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{inner}</bind></iq>")
        answer = await self.receives()
        jid = answer.find(f"{BIND}bind/{BIND}jid")
        assert jid is not None, show(answer)
        assert jid.text
        return jid.text


def mechanisms(features: ET.Element) -> set[str]:
    """Return the names of the mechanisms that features offer."""
    return {element.text or "" for element in features.iterfind(f"{SASL}mechanisms/{SASL}mechanism")}


def outcome(element: ET.Element) -> str:
    """Return "success", or the condition of a failure."""
    if element.tag == f"{SASL}success":
        return "success"
    assert element.tag == f"{SASL}failure", show(element)
    return element[0].tag.removeprefix(SASL)
