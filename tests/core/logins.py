"""What the tests of logins share: elements that clients send, clients at each stage, and handlers that take note."""

from base64 import b64encode
from typing import Any
from xml.etree import ElementTree as ET

from twisted.internet.defer import Deferred

from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server
from xmppd.core.credentials import derive_all
from xmppd.core.events import LoginFailed, SessionBound, SessionEnded, StreamFeatures
from xmppd.core.hooks import collect, notice
from xmppd.protocol.jid import Jid

HOST = "capulet.example"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
BIND = (
    "<iq id='bind' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>"
)
MECHANISMS = "{urn:ietf:params:xml:ns:xmpp-sasl}mechanisms"


def header(**attributes: str | None) -> bytes:
    """Return a stream header."""
    named = {"version": "1.0", "to": HOST, **attributes}
    written = "".join(f" {key.rstrip('_')}='{value}'" for key, value in named.items() if value is not None)
    return (
        f"<?xml version='1.0'?><stream:stream xmlns='jabber:client'{written}"
        " xmlns:stream='http://etherx.jabber.org/streams'>"
    ).encode()


def auth(mechanism: str, data: bytes | None) -> str:
    """Return an <auth/>."""
    text = "" if data is None else b64encode(data).decode() or "="
    return f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{text}</auth>".replace(
        "></auth>", "/>"
    )


def response(data: bytes) -> str:
    """Return a <response/>."""
    return f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{b64encode(data).decode()}</response>"


def failed(element: ET.Element) -> str:
    """Return the condition of a <failure/>."""
    assert element.tag == f"{SASL}failure", element.tag
    return element[0].tag.removeprefix(SASL)


def offered(features: ET.Element) -> list[str]:
    """Return the names of the mechanisms that the features offer."""
    return [mechanism.text or "" for mechanism in features.iter(f"{SASL}mechanism")]


def opened(server: Server, **options: Any) -> Client:
    """Return a client that has opened a stream to the Capulets."""
    client = server.connection(**options)
    client.opens(HOST)
    return client


def real_account(server: Server) -> None:
    """Register Juliet with as many iterations as a client that is not ours insists on."""
    server.wait(server.node.accounts.create(Jid.parse("juliet@capulet.example"), derive_all(PASSWORD)))


def authenticated(server: Server, localpart: str = "juliet") -> Client:
    """Return a client that is authenticated and has opened its stream anew."""
    server.account(f"{localpart}@{HOST}")
    client = opened(server)
    assert client.authenticates(localpart, PASSWORD).tag == f"{SASL}success"
    client.opens(HOST)
    return client


class Waits:
    """Handlers that wait for a Deferred that the test fires."""

    def __init__(self) -> None:
        self.waiting: Deferred[None] = Deferred()

    @notice(SessionBound)
    async def bound(self, event: SessionBound) -> None:
        await self.waiting


class Notes:
    """Handlers that keep what they were told."""

    def __init__(self) -> None:
        self.failures: list[tuple[str | None, str]] = []
        self.ended: list[str] = []
        self.features: list[tuple[bool, bool]] = []

    @notice(LoginFailed)
    async def failed(self, event: LoginFailed) -> None:
        self.failures.append((event.username, event.address))

    @notice(SessionEnded)
    async def session_ended(self, event: SessionEnded) -> None:
        self.ended.append(event.session.jid)

    @collect(StreamFeatures)
    async def offer(self, event: StreamFeatures) -> None:
        self.features.append((event.authenticated, event.secure))
