"""Clients that log in by SASL2 (XEP-0388) and come back by tokens (XEP-0484), in raw XML over TLS."""

from base64 import b64decode, b64encode
from xml.etree import ElementTree as ET

from tests.scenario.sasl2 import BIND, FAST, SASL2, authenticate, by_token, request_token, user_agent
from tests.scenario.xml import show

from .cast import PASSWORD, Cast
from .deployment import CAPULET
from .raw import STREAM, Raw
from .scram import Scram

BINDINGS = {"HT-SHA-256-EXPR": "tls-exporter", "HT-SHA-256-ENDP": "tls-server-end-point", "HT-SHA-256-NONE": ""}


def header(account: str) -> str:
    """Return a stream header that says who opens the stream."""
    return (
        f"<?xml version='1.0'?><stream:stream from='{account}' to='{CAPULET}' version='1.0' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'>"
    )


async def secured(cast: Cast) -> Raw:
    """Return a connection under direct TLS on which nothing was said."""
    raw = await cast.raw("direct")
    await raw.begins_tls(cast.context(), CAPULET, ["xmpp-client"])
    return raw


async def outcome(raw: Raw) -> ET.Element:
    """Return the <success/>, and take the features behind it; or the <failure/>."""
    element = await raw.receives()
    if element.tag == f"{SASL2}success":
        features = await raw.receives()
        assert features.tag == f"{STREAM}features", show(features)
    return element


async def by_scram(raw: Raw, account: str, *inline: str, mechanism: str = "SCRAM-SHA-256-PLUS") -> ET.Element:
    """Log in by a password, bound to the channel; return the outcome."""
    binding = ("tls-exporter", raw.binding("tls-exporter")) if mechanism.endswith("-PLUS") else None
    scram = Scram(mechanism, account.partition("@")[0], PASSWORD, binding)
    await raw.sends(authenticate(mechanism, scram.first(), *inline))
    challenge = await raw.receives()
    assert challenge.tag == f"{SASL2}challenge", show(challenge)
    answer = scram.final(b64decode(challenge.text or ""))
    await raw.sends(f"<response xmlns='urn:xmpp:sasl:2'>{b64encode(answer).decode()}</response>")
    end = await outcome(raw)
    if end.tag == f"{SASL2}success":
        assert scram.accepts(b64decode(end.findtext(f"{SASL2}additional-data") or "")), "the server knows no account"
    return end


async def gets_token(cast: Cast, account: str, mechanism: str = "HT-SHA-256-EXPR", agent: str = user_agent()) -> str:
    """Return a token that a client of an account has got for its password."""
    raw = await secured(cast)
    await raw.sends(header(account))
    await raw.receives()
    success = await by_scram(raw, account, agent, BIND, request_token(mechanism))
    return success.find(f"{FAST}token").attrib["token"]  # type: ignore[union-attr]  # fails the test that has none


async def returns(
    cast: Cast,
    account: str,
    token: str,
    *inline: str,
    mechanism: str = "HT-SHA-256-EXPR",
    agent: str = user_agent(),
    use: str = "",
    behind: str = "",
) -> tuple[Raw, ET.Element]:
    """Say all at once on a new connection, header and login and what is behind it; return it and the outcome."""
    raw = await secured(cast)
    kind = BINDINGS[mechanism]
    binding = raw.binding(kind) if kind else b""
    name = account.partition("@")[0]
    login = by_token(name, token, agent, *inline, mechanism=mechanism, binding=binding, use=use)
    await raw.sends(header(account) + login + behind)
    features = await raw.receives()
    assert features.tag == f"{STREAM}features", show(features)
    return raw, await outcome(raw)


def condition(failure: ET.Element) -> str:
    """Return the condition of a <failure/>."""
    assert failure.tag == f"{SASL2}failure", show(failure)
    return failure[0].tag.rpartition("}")[2]


def identifier(success: ET.Element) -> str:
    """Return who a <success/> says that the client is."""
    assert success.tag == f"{SASL2}success", show(success)
    return success.findtext(f"{SASL2}authorization-identifier") or ""
