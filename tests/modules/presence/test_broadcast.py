"""RFC 6121, 4.2, 4.4 and 4.5: initial, subsequent and unavailable presence."""

import pytest
from twisted.internet.defer import Deferred

from tests.modules.roster.cast import befriend, subscribe
from tests.scenario.server import Server
from xmppd.core.events import InboundPresence
from xmppd.core.hooks import Phase, Verdict, notice, on
from xmppd.modules.presence.api import ResourceAvailable, ResourceReachable, ResourceUnavailable
from xmppd.modules.roster.api import Disclosing
from xmppd.protocol.jid import Jid

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
BALCONY, CHAMBER, ORCHARD = f"{JULIET}/balcony", f"{JULIET}/chamber", f"{ROMEO}/orchard"


def presence(from_: str, to: str, type: str = "", inner: str = "") -> str:
    return f"<presence from='{from_}' to='{to}'{f' type={type!r}' if type else ''}>{inner}</presence>"


@pytest.fixture
def friends(server: Server) -> Server:
    """A server on which Romeo and Juliet see each other."""
    befriend(server, JULIET, ROMEO)
    return server


# 4.2


def test_initial_presence(friends: Server) -> None:
    """4.2.2 and 4.3: it goes to contacts and to the resource itself; what contacts are like comes back, to it alone."""
    romeo = friends.online(ORCHARD, "<presence><show>dnd</show></presence>")
    chamber = friends.online(CHAMBER)
    romeo.forgets()
    balcony = friends.connect(BALCONY)
    balcony.sends("<presence><show>away</show><status>I shall return!</status><priority>1</priority></presence>")
    inner = "<show>away</show><status>I shall return!</status><priority>1</priority>"
    balcony.receives(presence(CHAMBER, BALCONY))
    balcony.receives(presence(BALCONY, JULIET, inner=inner))
    balcony.receives(presence(ORCHARD, BALCONY, inner="<show>dnd</show>"))
    balcony.receives_nothing()
    chamber.receives(presence(BALCONY, JULIET, inner=inner))
    chamber.receives_nothing()
    romeo.receives(presence(BALCONY, ROMEO, inner=inner))
    romeo.receives_nothing()


def test_connected_is_not_available(friends: Server) -> None:
    """4.2.1: who has sent no presence gets none and is seen by nobody."""
    connected = friends.connect(ORCHARD)
    juliet = friends.connect(BALCONY)
    juliet.sends("<presence/>")
    juliet.receives(presence(BALCONY, JULIET))
    connected.receives_nothing()


def test_contact_that_is_not_connected(friends: Server) -> None:
    """4.3.2: about local contacts without a session nothing is said, and nothing is asked of the database."""
    juliet = friends.connect(BALCONY)
    juliet.sends("<iq id='r' type='get'><query xmlns='jabber:iq:roster'/></iq>")
    juliet.forgets()
    before = questions(friends)
    juliet.sends("<presence/>")
    assert questions(friends) == before
    juliet.receives(presence(BALCONY, JULIET))
    juliet.receives_nothing()


def questions(server: Server) -> int:
    """Return how many questions the database was asked, but for those about what waits for the resource itself."""
    tallies = server.database.tallies.by_name
    return sum(tally.count for name, tally in tallies.items() if not name.startswith("log."))


@pytest.mark.parametrize("sees", [True, False])
def test_one_sided(server: Server, sees: bool) -> None:
    """4.2.2: presence goes to From and Both, probes to To and Both."""
    subscribe(server, *((JULIET, ROMEO) if sees else (ROMEO, JULIET)))
    romeo = server.online(ORCHARD)
    juliet = server.connect(BALCONY)
    juliet.sends("<presence/>")
    juliet.receives(presence(BALCONY, JULIET))
    if sees:
        juliet.receives(presence(ORCHARD, BALCONY))
    else:
        romeo.receives(presence(BALCONY, ROMEO))
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_stranger(server: Server) -> None:
    """4.2.2: who has no subscription sees nothing."""
    romeo = server.online(ORCHARD)
    server.online(BALCONY).receives_nothing()
    romeo.receives_nothing()


def test_malformed_priority(friends: Server) -> None:
    """4.7.2.3: presence with a priority that is none is refused, and the resource stays as it was."""
    romeo = friends.online(ORCHARD)
    juliet = friends.connect(BALCONY)
    juliet.sends("<presence id='p1'><priority>high</priority></presence>")
    juliet.receives_error("bad-request", id="p1")
    romeo.receives_nothing()
    romeo.sends(f"<message to='{JULIET}'><body>Speak again</body></message>")
    juliet.receives_nothing()


def test_negative_priority(friends: Server) -> None:
    """4.7.2.3: such a resource is available all the same: it gets presence, and messages of its own only."""
    juliet = friends.online(BALCONY, "<presence><priority>-1</priority></presence>")
    romeo = friends.online(ORCHARD)
    juliet.receives(presence(ORCHARD, JULIET))
    romeo.sends(f"<message to='{JULIET}'><body>Speak again</body></message>")
    juliet.receives_nothing()
    romeo.sends(f"<message to='{BALCONY}'><body>Speak again</body></message>")
    juliet.receives(f"""
        <message from='{ORCHARD}' to='{BALCONY}'>
          <body>Speak again</body>
          <stanza-id xmlns='urn:xmpp:sid:0' by='{JULIET}' id='{{any}}'/>
        </message>""")


# 4.4


def test_subsequent_presence(friends: Server) -> None:
    """4.4.2: changes go to contacts and to all own resources; nothing is asked anew."""
    juliet, romeo = friends.online(BALCONY), friends.online(ORCHARD)
    juliet.forgets()
    juliet.sends("<presence><show>xa</show></presence>")
    juliet.receives(presence(BALCONY, JULIET, inner="<show>xa</show>"))
    juliet.receives_nothing()
    romeo.receives(presence(BALCONY, ROMEO, inner="<show>xa</show>"))
    romeo.receives_nothing()
    late = friends.connect(f"{ROMEO}/late")
    late.sends("<presence/>")
    late.receives_all(
        presence(ORCHARD, f"{ROMEO}/late"),
        presence(f"{ROMEO}/late", ROMEO),
        presence(BALCONY, f"{ROMEO}/late", inner="<show>xa</show>"),
    )


def test_content_is_kept(friends: Server) -> None:
    """4.7.3: whatever presence carries arrives as it was sent."""
    romeo = friends.online(ORCHARD)
    juliet = friends.connect(BALCONY)
    inner = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>"
    juliet.sends(f"<presence id='p1' xml:lang='en'><status>a &lt; b</status>{inner}</presence>")
    romeo.receives(
        f"<presence from='{BALCONY}' to='{ROMEO}' id='p1' xml:lang='en'><status>a &lt; b</status>{inner}</presence>"
    )


def test_remote_contact(friends: Server) -> None:
    """Presence that cannot be sent comes back as an error, and reaches the others all the same."""
    juliet = friends.connect(BALCONY)
    romeo = friends.online(ORCHARD)
    juliet.sends("<presence type='subscribed' to='hamlet@denmark.example'/>")
    juliet.sends("<presence id='p1'/>")
    romeo.receives(presence(BALCONY, ROMEO).replace("<presence", "<presence id='p1'"))


# 4.5


def test_unavailable(friends: Server) -> None:
    """4.5.2: the last word goes to contacts, own resources, and the resource itself."""
    juliet, chamber, romeo = (friends.online(jid) for jid in (BALCONY, CHAMBER, ORCHARD))
    for client in (juliet, chamber):
        client.forgets()
    juliet.sends("<presence type='unavailable'><status>Good night</status></presence>")
    inner = "<status>Good night</status>"
    juliet.receives(presence(BALCONY, BALCONY, "unavailable", inner))
    juliet.receives_nothing()
    chamber.receives(presence(BALCONY, JULIET, "unavailable", inner))
    romeo.receives(presence(BALCONY, ROMEO, "unavailable", inner))
    juliet.sends("<presence type='unavailable'/>")
    juliet.disconnects()
    romeo.sends("<presence><show>away</show></presence>")
    for client in (romeo, chamber):
        client.receives_any()
        client.receives_nothing()


def test_unavailable_before_available(friends: Server) -> None:
    """4.5.1: who was never there cannot leave."""
    romeo = friends.online(ORCHARD)
    juliet = friends.connect(BALCONY)
    juliet.sends("<presence type='unavailable'/>")
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_available_again(friends: Server) -> None:
    """4.2.1: after unavailable presence the next available one is initial presence again."""
    juliet, romeo = friends.online(BALCONY), friends.online(ORCHARD)
    juliet.sends("<presence type='unavailable'/>")
    juliet.forgets()
    juliet.sends("<presence/>")
    juliet.receives(presence(BALCONY, JULIET))
    juliet.receives(presence(ORCHARD, BALCONY))
    romeo.receives(presence(BALCONY, ROMEO, "unavailable"))
    romeo.receives(presence(BALCONY, ROMEO))


@pytest.mark.parametrize("how", ["closes its stream", "loses its connection", "breaks the rules"])
def test_session_ends(friends: Server, how: str) -> None:
    """4.5.3: the server says it for who leaves without a word, once."""
    juliet, romeo = friends.online(BALCONY), friends.online(ORCHARD)
    romeo.forgets()
    if how == "closes its stream":
        juliet.disconnects()
    elif how == "loses its connection":
        juliet.loses_connection()
    else:
        juliet.sends("<presence")
        juliet.sends("<presence/>")
    romeo.receives(presence(BALCONY, ROMEO, "unavailable"))
    romeo.receives_nothing()


def test_session_is_replaced(friends: Server) -> None:
    """RFC 6120, 7.7.2.2: contacts see the old session go before they see the new one."""
    old, romeo = friends.online(BALCONY), friends.online(ORCHARD)
    romeo.forgets()
    friends.online(BALCONY)
    old.receives_any()
    romeo.receives(presence(BALCONY, ROMEO, "unavailable"))
    romeo.receives(presence(BALCONY, ROMEO))
    romeo.receives_nothing()


# What takes time


class Slow:
    """Lets presence for one account wait, as a slow database would."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.waiting: list[Deferred[None]] = []

    @on(InboundPresence, Phase.GUARD)
    async def wait(self, event: InboundPresence) -> Verdict | None:
        if event.account == self.account and event.stanza.type == "":
            waiting: Deferred[None] = Deferred()
            self.waiting.append(waiting)
            await waiting
        return None


def test_session_that_ends_while_it_is_announced(friends: Server) -> None:
    """4.5.3: a session that ends in the middle of its broadcast is unavailable behind that, not before."""
    romeo, juliet, slow = friends.online(ORCHARD), friends.connect(BALCONY), Slow(ROMEO)
    friends.node.hooks.bind("slow", slow)
    juliet.sends("<presence/>")
    juliet.loses_connection()
    romeo.receives_nothing()
    slow.waiting.pop().callback(None)
    romeo.receives(presence(BALCONY, ROMEO))
    romeo.receives(presence(BALCONY, ROMEO, "unavailable"))
    romeo.receives_nothing()


def test_successor_is_not_declared_gone(friends: Server) -> None:
    """An old session that is announced late does not take a new one of the same name with it."""
    romeo, slow = friends.online(ORCHARD), Slow(ROMEO)
    old = friends.connect(BALCONY)
    friends.node.hooks.bind("slow", slow)
    old.sends("<presence/>")
    old.loses_connection()
    friends.node.hooks.unbind("slow")
    friends.online(BALCONY)
    romeo.receives(presence(BALCONY, ROMEO))
    slow.waiting.pop().callback(None)
    romeo.receives(presence(BALCONY, ROMEO))
    romeo.receives_nothing()


# What other modules hear and say


class Listener:
    """Notes what it hears of resources."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    @notice(ResourceAvailable)
    async def available(self, event: ResourceAvailable) -> None:
        self.heard.append((event.session.jid, event.stanza.id, event.is_initial, event.was_reachable))

    @notice(ResourceUnavailable)
    async def unavailable(self, event: ResourceUnavailable) -> None:
        self.heard.append((event.session.jid, event.stanza.id))


def test_modules_are_told(server: Server) -> None:
    """Modules hear when a resource becomes available, changes, and leaves."""
    listener = Listener()
    server.node.hooks.bind("listener", listener)
    juliet = server.connect(BALCONY)
    juliet.sends("<presence id='1'><priority>-1</priority></presence>")
    juliet.sends("<presence id='2'/>")
    juliet.sends("<presence id='3'/>")
    juliet.sends("<presence id='4' type='unavailable'/>")
    juliet.sends("<presence id='5'/>")
    juliet.disconnects()
    jid = Jid.parse(BALCONY)
    assert listener.heard == [
        (jid, "1", True, False),
        (jid, "2", False, False),
        (jid, "3", False, True),
        (jid, "4"),
        (jid, "5", True, False),
        (jid, None),
    ]


class Early:
    """Notes who became reachable, and what the database had been asked by then."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.heard: list[tuple[str, int]] = []

    @notice(ResourceReachable)
    async def reachable(self, event: ResourceReachable) -> None:
        self.heard.append((event.session.presence.id, questions(self._server)))  # type: ignore[union-attr, arg-type]


def test_readers_begin_before_anything_is_waited_for(server: Server) -> None:
    """4.2: from the moment on in which messages find a resource somebody knows; each time that it becomes reachable."""
    juliet = server.connect(BALCONY)
    early = Early(server)
    server.node.hooks.bind("early", early)
    before = questions(server)
    juliet.sends("<presence id='1'/>")
    assert early.heard == [("1", before)]
    for number, priority in ((2, 5), (3, -1), (4, 0)):
        juliet.sends(f"<presence id='{number}'><priority>{priority}</priority></presence>")
    juliet.sends("<presence type='unavailable'/>")
    juliet.sends("<presence id='5'/>")
    assert [id for id, _ in early.heard] == ["1", "4", "5"]


class Discreet:
    """Hides Juliet from Romeo."""

    @on(Disclosing, Phase.GUARD)
    async def hide(self, event: Disclosing) -> Verdict | None:
        if event.account == JULIET:
            event.recipients[:] = [jid for jid in event.recipients if jid != ROMEO]
        return None


def test_hidden_from_a_contact(friends: Server) -> None:
    """Nothing that a server says by itself reaches a contact from whom the account is hidden, not even a question."""
    friends.node.hooks.bind("discreet", Discreet())
    romeo = friends.online(ORCHARD)
    juliet = friends.connect(BALCONY)
    juliet.sends("<presence/>")
    juliet.receives(presence(BALCONY, JULIET))
    juliet.sends("<presence><show>away</show></presence>")
    juliet.receives_any()
    juliet.receives_nothing()
    late = friends.connect(f"{ROMEO}/late")
    late.sends("<presence/>")
    late.receives_all(presence(ORCHARD, late.jid), presence(late.jid, ROMEO))
    juliet.disconnects()
    romeo.receives(presence(late.jid, ROMEO))
    for client in (late, romeo):
        client.receives_nothing()
