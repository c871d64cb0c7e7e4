"""Whatever is thrown at the ports, the sessions of others go on."""

import ssl

import pytest
from OpenSSL import SSL

from .cast import Cast
from .client import Client, LoginFailed
from .deployment import CAPULET

OPENING = f"<stream:stream to='{CAPULET}' version='1.0' xmlns='jabber:client' "
HEADER = OPENING + "xmlns:stream='http://etherx.jabber.org/streams'>"
NOISE = bytes(range(256)) * 64


async def chat_goes_on(one: Client, other: Client, text: str) -> None:
    """Check that two sessions still talk to each other."""
    one.send_message(other.boundjid, text, mtype="chat")
    assert (await other.message())["body"] == text


@pytest.mark.parametrize(
    ("sent", "condition"),
    [
        (b"GET / HTTP/1.1\r\nHost: capulet.example\r\n\r\n", "not-well-formed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + NOISE, "not-well-formed"),
        (b"\xff\xfe<\0s\0t\0r\0e\0a\0m\0" + NOISE, "unsupported-encoding"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?>" + HEADER.encode(), "unsupported-encoding"),
        (b"<!DOCTYPE lol [<!ENTITY a 'aaaa'>]>" + HEADER.encode(), "restricted-xml"),
        (HEADER.encode() + b"<!-- comment -->", "restricted-xml"),
        (HEADER.encode() + b"<message><body>before login</body></message>", "not-authorized"),
        (HEADER.encode() + b"<a>" * 5000, "policy-violation"),
        (HEADER.encode() + b"<a b='" + b"x" * 20_000, "policy-violation"),
        (HEADER.replace("'1.0'", "'0.9'").encode(), "unsupported-version"),
        ((OPENING + "xmlns:stream='urn:example:other'>").encode(), "invalid-namespace"),
        (b"<html>", "invalid-namespace"),
    ],
)
async def test_what_is_no_stream(cast: Cast, sent: bytes, condition: str) -> None:
    """RFC 6120, 4.9.3: the port for clients says what is wrong and closes."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    raw = await cast.raw()
    await raw.sends(sent)
    assert await raw.receives_stream_error() == condition
    await chat_goes_on(romeo, juliet, condition)


@pytest.mark.parametrize("sent", [HEADER.encode(), b"GET / HTTP/1.1\r\n\r\n", NOISE, b"\x16\x03\x01\x40\x00" + NOISE])
async def test_what_is_no_tls(cast: Cast, sent: bytes) -> None:
    """The port for direct TLS answers with an alert at most, never with XML in the clear."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    raw = await cast.raw("direct")
    await raw.sends(sent)
    assert b"<" not in await raw.is_cut_off()
    await chat_goes_on(romeo, juliet, "still here")


async def test_old_tls(cast: Cast) -> None:
    """RFC 8996: TLS 1.1 is refused by an alert that says why."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    raw = await cast.raw("direct")
    with pytest.raises(SSL.Error) as refused:
        await raw.begins_tls(cast.context(versions=(SSL.TLS1_1_VERSION, SSL.TLS1_1_VERSION)), CAPULET)
    assert "protocol version" in str(refused.value)
    await chat_goes_on(romeo, juliet, "still here")


async def test_another_protocol(cast: Cast) -> None:
    """RFC 7301, 3.2: a client that offers HTTP only is told no_application_protocol (ALPACA is such an attack)."""
    raw = await cast.raw("direct")
    with pytest.raises(SSL.Error) as refused:
        await raw.begins_tls(cast.context(), CAPULET, ["http/1.1"])
    assert "no application protocol" in str(refused.value)


async def test_garbage_inside_a_session(cast: Cast) -> None:
    """What is no XML ends the session of whoever sent it, nobody else's."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    raw = await cast.session("tybalt")
    await raw.sends(b"<message to='romeo'><body>\xff\xff</body></message>")
    assert await raw.receives_stream_error() == "not-well-formed"
    await chat_goes_on(romeo, juliet, "still here")


async def test_a_stanza_beyond_the_limit(cast: Cast) -> None:
    """4.9.3.14: `limits.stanza`; what was read of it is not kept."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    raw = await cast.session("tybalt")
    await raw.sends(f"<message to='{romeo.boundjid}' type='chat'><body>")
    await raw.sends("x" * 300_000)
    assert await raw.receives_stream_error() == "policy-violation"
    await romeo.receives_nothing()
    await chat_goes_on(romeo, juliet, "still here")


async def test_clients_that_trust_other_authorities_do_not_go_on(cast: Cast) -> None:
    """The certificate is the host's own: who was not told to trust it gives up before any password is sent."""
    client = cast.client(cast.account("romeo"))
    client.ssl_context = ssl.create_default_context()
    with pytest.raises(LoginFailed):
        await client.logs_in(cast.deployment.place("starttls"))
