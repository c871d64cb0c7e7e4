"""XEP-0478: Stream Limits Advertisement."""

from xml.etree import ElementTree as ET

from tests.scenario.client import Client
from tests.scenario.server import Server
from tests.scenario.xml import differences, parse
from xmppd.config.schema import Duration, Size


def limits(features: ET.Element) -> ET.Element:
    """Return the one announcement in the stream features."""
    (found,) = features.findall("{urn:xmpp:stream-limits:0}limits")
    return found


def announced(size: int, seconds: int) -> ET.Element:
    return parse(
        f"<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>{size}</max-bytes>"
        f"<idle-seconds>{seconds}</idle-seconds></limits>"
    )


def features_of(server: Server) -> tuple[Client, ET.Element, ET.Element]:
    """Log in; return the client and the features before and behind that."""
    server.account("romeo@montague.example")
    client = server.connection()
    before = client.opens("montague.example")
    assert client.authenticates("romeo", "pencil").tag.endswith("success")
    return client, before, client.opens("montague.example")


def test_limits_of_each_phase(server: Server) -> None:
    """Business Rules: limits may change when the client has authenticated; those of the phase are told."""
    _, before, behind = features_of(server)
    assert differences(announced(10_000, 30), limits(before), {}) == []
    assert differences(announced(256_000, 300), limits(behind), {}) == []


def test_what_is_announced_is_enforced() -> None:
    """Server advertises limits: a stanza of that size is taken, a larger one ends the stream."""
    server = Server(limits={"stanza": Size("10 kB")})
    client, _, behind = features_of(server)
    size = int(limits(behind).findtext("{urn:xmpp:stream-limits:0}max-bytes") or 0)
    client.jid = client.binds("orchard")
    stanza = "<message to='romeo@montague.example/orchard'><body>{}</body></message>"
    text = "x" * (size - len(stanza.format("")))
    client.sends(stanza.format(text))
    assert client.receives_any().findtext("{jabber:client}body") == text
    client.sends(stanza.format(text + text))
    client.receives_stream_error("policy-violation")


def test_idle_seconds_are_when_the_client_is_asked() -> None:
    """Server advertises limits: after so many seconds of silence the liveness check begins, and not before."""
    server = Server(limits={"idle_ping": Duration("90s")})
    client, _, behind = features_of(server)
    client.jid = client.binds("orchard")
    seconds = int(limits(behind).findtext("{urn:xmpp:stream-limits:0}idle-seconds") or 0)
    server.advance(seconds - 1)
    client.receives_nothing()
    server.advance(31)  # streams are looked at in a round of their own
    assert client.receives_any().find("{urn:xmpp:ping}ping") is not None


def test_reload(server: Server) -> None:
    """Whoever connects behind a change of the limits learns the new ones."""
    server.node.config.limits.stanza = Size("64 kB")
    _, _, behind = features_of(server)
    assert differences(announced(64_000, 300), limits(behind), {}) == []
