"""What clients say that log in by SASL2 (XEP-0388), by tokens (XEP-0484), and for a session of its own (XEP-0386)."""

import hmac
from base64 import b64encode
from xml.etree import ElementTree as ET

from .client import Client
from .server import PASSWORD
from .xml import show

SASL2 = "{urn:xmpp:sasl:2}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
FAST = "{urn:xmpp:fast:0}"
FEATURES = "{http://etherx.jabber.org/streams}features"
PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"
LAPTOP = "4d724749-d456-4fa7-b3d3-740edbf87770"
BIND = "<bind xmlns='urn:xmpp:bind:0'><tag>AwesomeXMPP</tag></bind>"


def base64(data: bytes) -> str:
    return b64encode(data).decode()


def user_agent(id: str = PHONE, software: str = "AwesomeXMPP", device: str = "Kiva's Phone") -> str:
    """Return a <user-agent/>."""
    device = device.replace("'", "&apos;")
    return f"<user-agent id='{id}'><software>{software}</software><device>{device}</device></user-agent>"


def authenticate(mechanism: str, data: bytes | None, *inline: str) -> str:
    """Return an <authenticate/>; None sends no initial response."""
    first = "" if data is None else f"<initial-response>{base64(data)}</initial-response>"
    return f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>{first}{''.join(inline)}</authenticate>"


def by_password(localpart: str, *inline: str, password: str = PASSWORD) -> str:
    """Return an <authenticate/> by PLAIN."""
    return authenticate("PLAIN", f"\0{localpart}\0{password}".encode(), *inline)


def request_token(mechanism: str = "HT-SHA-256-NONE") -> str:
    """Return a <request-token/>."""
    return f"<request-token xmlns='urn:xmpp:fast:0' mechanism='{mechanism}'/>"


def by_token(
    localpart: str, token: str, *inline: str, mechanism: str = "HT-SHA-256-NONE", binding: bytes = b"", use: str = ""
) -> str:
    """Return an <authenticate/> by a token; `use` are the attributes of <fast/>."""
    proof = hmac.digest(token.encode(), b"Initiator" + binding, "sha256")
    data = localpart.encode() + b"\0" + proof
    return authenticate(mechanism, data, f"<fast xmlns='urn:xmpp:fast:0'{use}/>", *inline)


def succeeded(client: Client) -> ET.Element:
    """Return the <success/> that the client receives; the features behind it are taken, too."""
    success = client.receives_any()
    assert success.tag == f"{SASL2}success", show(success)
    features = client.receives_any()
    assert features.tag == FEATURES, show(features)
    client.jid = success.findtext(f"{SASL2}authorization-identifier") or ""
    return success


def failed(client: Client) -> str:
    """Return the condition of the <failure/> that the client receives."""
    failure = client.receives_any()
    assert failure.tag == f"{SASL2}failure", show(failure)
    return failure[0].tag.removeprefix(SASL)


def token_in(success: ET.Element) -> str:
    """Return the token that a <success/> holds; empty if there is none."""
    token = success.find(f"{FAST}token")
    return "" if token is None else token.attrib["token"]
