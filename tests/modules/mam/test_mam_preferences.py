"""XEP-0441: Message Archive Management Preferences, in the examples' cast."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.modules.mam.options import Default
from xmppd.protocol.jid import Jid

from .archive import archived

JULIET, ROMEO, PARIS = "juliet@capulet.example", "romeo@montague.example", "paris@shakespeare.example"
GET = "<iq type='get' id='juliet2'><prefs xmlns='urn:xmpp:mam:2'/></iq>"


def prefs(default: str, always: str = "", never: str = "") -> str:
    lists = "".join(
        f"<{name}>{f'<jid>{jid}</jid>' if jid else ''}</{name}>" for name, jid in (("always", always), ("never", never))
    )
    return f"<prefs xmlns='urn:xmpp:mam:2' default='{default}'>{lists}</prefs>"


def wants(client: Client, *wanted: str) -> None:
    """Set preferences; the server answers with what it has applied."""
    content = prefs(*wanted)
    client.forgets()
    client.sends(f"<iq type='set' id='juliet3'>{content}</iq>")
    client.receives(f"<iq type='result' id='juliet3' from='{JULIET}' to='{JULIET}/balcony'>{content}</iq>")


def says(sender: Client, to: str, body: str) -> None:
    sender.sends(f"<message to='{to}' type='chat'><body>{body}</body></message>")


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.online(f"{JULIET}/balcony")


@pytest.fixture
def romeo(server: Server, juliet: Client) -> Client:
    return server.online(f"{ROMEO}/orchard")


@pytest.fixture
def paris(server: Server, juliet: Client) -> Client:
    return server.online(f"{PARIS}/tomb")


def test_retrieving(juliet: Client) -> None:
    """Simple configuration: who never said gets the default of the server."""
    juliet.sends(GET)
    juliet.receives(f"<iq type='result' id='juliet2' from='{JULIET}' to='{JULIET}/balcony'>{prefs('always')}</iq>")


def test_updating(server: Server, juliet: Client) -> None:
    """Simple configuration: what was said is told, to every resource."""
    wants(juliet, "roster", ROMEO, PARIS)
    chamber = server.connect(f"{JULIET}/chamber")
    chamber.sends(GET)
    content = prefs("roster", ROMEO, PARIS)
    chamber.receives(f"<iq type='result' id='juliet2' from='{JULIET}' to='{JULIET}/chamber'>{content}</iq>")


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        ("<prefs xmlns='urn:xmpp:mam:2'/>", "bad-request"),
        ("<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>", "bad-request"),
        (prefs("always", "@"), "jid-malformed"),
    ],
)
def test_wrong_preferences(juliet: Client, content: str, condition: str) -> None:
    """Default behaviour: one of three; the lists have addresses."""
    juliet.sends(f"<iq type='set' id='juliet3'>{content}</iq>")
    juliet.receives_error(condition)
    test_retrieving(juliet)


def test_never(juliet: Client, romeo: Client) -> None:
    """Default behaviour: nothing is archived, in neither direction; the other side decides for itself."""
    wants(juliet, "never")
    says(romeo, JULIET, "in")
    says(juliet, ROMEO, "out")
    assert archived(juliet) == []
    assert archived(romeo) == ["in", "out"]


def test_lists(juliet: Client, romeo: Client, paris: Client) -> None:
    """Always archive, Never archive: exceptions from the default, for the target of what goes out and comes in."""
    wants(juliet, "never", ROMEO)
    for peer, address in ((romeo, ROMEO), (paris, PARIS)):
        says(peer, JULIET, f"from {address}")
        says(juliet, address, f"to {address}")
    assert archived(juliet) == [f"from {ROMEO}", f"to {ROMEO}"]
    wants(juliet, "always", "", ROMEO)
    for peer, address in ((romeo, ROMEO), (paris, PARIS)):
        says(peer, JULIET, f"again {address}")
    assert archived(juliet) == [f"from {ROMEO}", f"to {ROMEO}", f"again {PARIS}"]


def test_roster(juliet: Client, romeo: Client, paris: Client) -> None:
    """Default behaviour: archived only if the contact's bare JID is in the roster."""
    juliet.sends(f"<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='{ROMEO}'/></query></iq>")
    wants(juliet, "roster")
    for peer in (romeo, paris):
        says(peer, JULIET, peer.jid)
    assert archived(juliet) == [romeo.jid]


def test_who_asks_to_be_a_contact_is_none(juliet: Client, paris: Client) -> None:
    """Default behaviour: a request that waits for an answer is not in the roster."""
    wants(juliet, "roster")
    paris.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    says(paris, JULIET, "Sweet lady")
    assert archived(juliet) == []


def test_what_is_not_archived_is_delivered_late(server: Server, juliet: Client, romeo: Client) -> None:
    """Preferences are about the archive: a message waits for who is offline all the same."""
    wants(juliet, "never")
    juliet.disconnects()
    says(romeo, JULIET, "late")
    juliet = server.connect(f"{JULIET}/balcony")
    juliet.sends("<presence/>")
    found = [stanza.findtext("{jabber:client}body") for stanza in [juliet.receives_any(), *juliet.inbox]]
    assert "late" in found
    server.advance(5)
    assert archived(juliet) == []


def test_defaults_of_hosts(juliet: Client) -> None:
    """The operator says what holds for who has not said, by host."""
    server = Server(modules={"mam": {"default": Default.NEVER, "hosts": {"montague.example": Default.ALWAYS}}})
    romeo, juliet = server.online(f"{ROMEO}/orchard"), server.online(f"{JULIET}/balcony")
    says(romeo, JULIET, "Hello")
    assert (archived(juliet), archived(romeo)) == ([], ["Hello"])
    wants(juliet, "always")
    says(romeo, JULIET, "Hello again")
    assert archived(juliet) == ["Hello again"]


def test_too_many_addresses() -> None:
    """Both lists are bounded."""
    juliet = Server(modules={"mam": {"addresses": 1}}).online(f"{JULIET}/balcony")
    wants(juliet, "always", "", PARIS)
    juliet.sends(f"<iq type='set' id='juliet3'>{prefs('always', ROMEO, PARIS)}</iq>")
    juliet.receives_error("not-acceptable")


def test_anonymous(server: Server, juliet: Client) -> None:
    """Who will not come back has no archive, and nothing to say about it."""
    session = server.node.sessions.at(Jid(f"{JULIET}/balcony"))
    assert session is not None
    session.is_anonymous = True
    juliet.sends(f"<iq type='set' id='juliet3'>{prefs('always')}</iq>")
    juliet.receives_error("not-allowed")


def test_removed_account(server: Server, juliet: Client) -> None:
    """Who takes the name of an account that is gone does not take its preferences."""
    wants(juliet, "never")
    juliet.disconnects()
    server.wait(server.node.accounts.delete(Jid(JULIET)))
    test_retrieving(server.online(f"{JULIET}/balcony"))
