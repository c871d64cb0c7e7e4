"""XEP-0386 as a module: it offers Bind 2, and describes the archive. The rest is tested in tests/core/test_sasl2.py."""

from tests.scenario.client import Client
from tests.scenario.sasl2 import BIND, SASL2, authenticate, by_password, succeeded
from tests.scenario.server import Server
from xmppd.modules.bind2 import metadata
from xmppd.protocol.writer import serialise

HOST = "capulet.example"
BOUND = "{urn:xmpp:bind:0}bound"
MAM = "{urn:xmpp:mam:2}"


def binds(server: Server) -> Client:
    server.account(f"juliet@{HOST}")
    client = server.connection()
    client.opens(HOST)
    client.sends(by_password("juliet", BIND))
    return client


def test_an_empty_archive(server: Server) -> None:
    """XEP-0313, Archive Metadata: it has neither a first nor a last message."""
    described = succeeded(binds(server)).find(f"{BOUND}/{MAM}metadata")
    assert described is not None
    assert len(described) == 0


def test_an_archive(server: Server) -> None:
    """Performing the bind: a client that has missed something knows it at once, and by which id."""
    romeo = server.online("romeo@montague.example/orchard")
    server.account(f"juliet@{HOST}")
    for number in (1, 2):
        romeo.sends(f"<message to='juliet@{HOST}' id='m{number}' type='chat'><body>{number}</body></message>")
        server.advance(1)
    described = succeeded(binds(server)).find(f"{BOUND}/{MAM}metadata")
    assert described is not None
    start, end = described.find(f"{MAM}start"), described.find(f"{MAM}end")
    assert start is not None
    assert end is not None
    assert int(start.attrib["id"]) < int(end.attrib["id"])


def test_what_waits_is_not_sent(server: Server) -> None:
    """Performing the bind: offline messages are cleared, as the archive has them; what it has not comes all the same."""
    romeo = server.online("romeo@montague.example/orchard")
    server.account(f"juliet@{HOST}")
    hint = "<no-permanent-store xmlns='urn:xmpp:hints'/>"
    for body, more in (("archived", ""), ("fleeting", hint)):
        romeo.sends(f"<message to='juliet@{HOST}' type='chat'><body>{body}</body>{more}</message>")
    juliet = binds(server)
    romeo.sends(f"<message to='juliet@{HOST}' type='chat'><body>since</body></message>")
    juliet.forgets()
    juliet.sends("<presence/>")
    bodies = [element.findtext("{jabber:client}body") for element in juliet.inbox if element.tag.endswith("message")]
    assert bodies == ["fleeting", "since"]
    server.advance(3)
    chamber = server.online(f"juliet@{HOST}/chamber")
    chamber.receives_nothing()


def test_how_it_is_written() -> None:
    """XEP-0313, Archive Metadata: ids and times."""
    ends = (1_275_307_200_000 << 20, (1_275_307_201_000 << 20) + 7)
    assert serialise(metadata(ends)) == (
        b"<metadata xmlns='urn:xmpp:mam:2'>"
        b"<start id='1337256498692915200000' timestamp='2010-05-31T12:00:00Z'/>".replace(
            b"1337256498692915200000", str(ends[0]).encode()
        )
        + f"<end id='{ends[1]}' timestamp='2010-05-31T12:00:01Z'/></metadata>".encode()
    )
    assert serialise(metadata(None)) == b"<metadata xmlns='urn:xmpp:mam:2'/>"


def test_guests_have_no_archive() -> None:
    """XEP-0175: nothing is kept of a guest."""
    server = Server(anonymous=True)
    client = server.connection()
    client.opens(HOST)
    client.sends(authenticate("ANONYMOUS", b"", BIND))
    bound = succeeded(client).find(BOUND)
    assert bound is not None
    assert len(bound) == 0


def test_without_it(server: Server) -> None:
    """Without the module nobody is offered it, and a request for it is not heard."""
    server.wait(server.node.loader.unload("bind2"))
    features = server.connection().opens(HOST)
    assert features.find(f"{SASL2}authentication/{SASL2}inline/{{urn:xmpp:bind:0}}bind") is None
    client = binds(server)
    assert succeeded(client).find(BOUND) is None
    assert client.binds("balcony") == f"juliet@{HOST}/balcony"
