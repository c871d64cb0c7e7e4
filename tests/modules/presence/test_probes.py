"""RFC 6121, 4.3: probes and their answers."""

import pytest

from tests.modules.roster.cast import ROSTER, befriend, interested, pushed, shows, subscribe
from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.events import InboundPresence
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.modules.roster.api import Disclosing, Rosters
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
BALCONY, CHAMBER, ORCHARD = f"{JULIET}/balcony", f"{JULIET}/chamber", f"{ROMEO}/orchard"
AWAY = "<show>away</show>"


def presence(from_: str, to: str, type: str = "", inner: str = "") -> str:
    return f"<presence from='{from_}' to='{to}'{f' type={type!r}' if type else ''}>{inner}</presence>"


def probes(client: Client, to: str) -> None:
    client.forgets()
    client.sends(f"<presence type='probe' to='{to}'/>")


@pytest.fixture
def romeo(server: Server) -> Client:
    """Romeo, who sees Juliet."""
    subscribe(server, ROMEO, JULIET)
    return server.connect(ORCHARD)


def test_each_available_resource_answers(server: Server, romeo: Client) -> None:
    """4.3.2: the answer is the last presence of each available resource, as it was sent."""
    for jid in (BALCONY, CHAMBER):
        server.online(jid, f"<presence id='p1'>{AWAY}</presence>")
    server.connect(f"{JULIET}/connected")
    probes(romeo, JULIET)
    romeo.receives_all(
        *[f"<presence id='p1' from='{jid}' to='{ORCHARD}'>{AWAY}</presence>" for jid in (BALCONY, CHAMBER)]
    )
    romeo.receives_nothing()


def test_one_resource_is_asked(server: Server, romeo: Client) -> None:
    """4.3.2: a probe for a full JID is answered for that resource."""
    for jid in (BALCONY, CHAMBER):
        server.online(jid)
    probes(romeo, CHAMBER)
    romeo.receives(presence(CHAMBER, ORCHARD))
    romeo.receives_nothing()
    probes(romeo, f"{JULIET}/elsewhere")
    romeo.receives(presence(f"{JULIET}/elsewhere", ORCHARD, "unavailable"))


def test_nobody_is_available(server: Server, romeo: Client) -> None:
    """4.3.2: if nobody is there, that is the answer."""
    server.connect(BALCONY)
    probes(romeo, JULIET)
    romeo.receives(presence(JULIET, ORCHARD, "unavailable"))
    romeo.receives_nothing()


def test_last_words(server: Server, romeo: Client) -> None:
    """4.3.2: who has left is unavailable since then, and the last words stand."""
    juliet = server.online(BALCONY)
    server.advance(seconds=30)
    juliet.sends("<presence type='unavailable'><status>Good night</status></presence>")
    juliet.disconnects()
    server.advance(seconds=5)
    probes(romeo, JULIET)
    romeo.receives(
        presence(
            JULIET,
            ORCHARD,
            "unavailable",
            f"<status>Good night</status><delay xmlns='urn:xmpp:delay' from='{JULIET}' stamp='2010-05-31T12:00:30Z'/>",
        )
    )


def test_last_words_at_once(server: Server, romeo: Client) -> None:
    """They are told though they were not written down yet."""
    server.online(BALCONY).sends("<presence type='unavailable'><status>Good night</status></presence></stream:stream>")
    probes(romeo, JULIET)
    assert romeo.receives_any().findtext("{jabber:client}status") == "Good night"


def test_without_last_words(server: Server, romeo: Client) -> None:
    """4.3.2: who has left without a word has left all the same."""
    server.online(BALCONY, "<presence><status>Here I am</status></presence>").loses_connection()
    server.advance(seconds=5)
    probes(romeo, JULIET)
    delay = f"<delay xmlns='urn:xmpp:delay' from='{JULIET}' stamp='2010-05-31T12:00:00Z'/>"
    romeo.receives(presence(JULIET, ORCHARD, "unavailable", delay))


def test_stranger(server: Server) -> None:
    """4.3.2: who may not see is told that it is not subscribed, and nothing else."""
    server.online(BALCONY)
    romeo = server.online(ORCHARD)
    probes(romeo, JULIET)
    romeo.receives_nothing()  # it is not in Romeo's roster, so "unsubscribed" changes nothing there
    shows(romeo)


def test_rosters_come_together_again(server: Server, romeo: Client) -> None:
    """4.3.2: a contact's server that knows of no subscription says so, and the user's roster follows."""
    server.wait(forget(server, JULIET))
    server.online(BALCONY)
    romeo.sends(ROSTER)
    romeo.forgets()
    romeo.sends("<presence/>")
    romeo.receives(presence(ORCHARD, ROMEO))
    romeo.receives(presence(JULIET, ROMEO, "unsubscribed"))
    shows(romeo, f"<item jid='{JULIET}' subscription='none'/>")


async def forget(server: Server, owner: str) -> None:
    """Lose a roster, as a restored backup would."""
    rosters = server.node.loader.loaded["roster"].offers()[Rosters]
    async with rosters.turn(owner):
        await rosters.remove(owner)


@pytest.mark.parametrize("localpart", ["juliet", "nobody"])
def test_who_waits_for_an_answer(server: Server, localpart: str) -> None:
    """4.3.2: a request that waits is no subscription; that it waits, and for whom, is not told either."""
    server.online(BALCONY)
    contact = f"{localpart}@capulet.example"
    romeo = interested(server, ORCHARD)
    romeo.sends(f"<presence type='subscribe' to='{contact}'/>")
    probes(romeo, contact)
    romeo.receives(presence(contact, ROMEO, "unsubscribed"))
    romeo.receives(pushed(romeo, f"<item jid='{contact}' subscription='none'/>"))
    romeo.receives_nothing()


def test_directed_presence_is_shown_again(server: Server) -> None:
    """4.6.5: who got directed presence may ask for it again, of that resource."""
    balcony, romeo = server.online(BALCONY, f"<presence>{AWAY}</presence>"), server.online(ORCHARD)
    server.online(CHAMBER)
    balcony.sends(f"<presence to='{ORCHARD}'/>")
    probes(romeo, JULIET)
    romeo.receives(presence(BALCONY, ORCHARD, inner=AWAY))
    romeo.receives_nothing()


@pytest.mark.parametrize("resource", ["", "/balcony"])
def test_no_such_account(server: Server, resource: str) -> None:
    """4.3.2 and 8.5.1: an account that does not exist answers as one does that does not know the prober, as fast."""
    server.account(JULIET)
    server.online(ORCHARD)
    server.store.hold()
    sent: list[Stanza] = []

    class Listener:
        @on(InboundPresence, Phase.GUARD)
        async def hear(self, event: InboundPresence) -> None:
            sent.append(event.stanza)

    server.node.hooks.bind("listener", Listener())
    for localpart in ("juliet", "nobody"):
        account = f"{localpart}@capulet.example"
        probe = Stanza.build("presence", to=Jid(account + resource), from_=Jid(ORCHARD), type="probe")
        server.wait(server.node.router.route(probe))
        assert (sent[-1].type, sent[-1].from_, sent[-1].to) == ("unsubscribed", account, ROMEO)


def test_own_account(server: Server) -> None:
    """An account may ask what its own resources are like."""
    server.online(CHAMBER)
    balcony = server.connect(BALCONY)
    probes(balcony, JULIET)
    balcony.receives(presence(CHAMBER, BALCONY))
    balcony.receives_nothing()


def test_probe_of_nobody(server: Server) -> None:
    """4.3.1: a probe asks for somebody's presence."""
    romeo = server.online(ORCHARD)
    romeo.sends("<presence id='p1' type='probe'/>")
    romeo.receives_error("bad-request", id="p1")


class Discreet:
    """Hides everybody from everybody."""

    @on(Disclosing, Phase.GUARD)
    async def hide(self, event: Disclosing) -> Verdict:
        return Verdict.DROP


def test_hidden(server: Server, romeo: Client) -> None:
    """Who is hidden from a contact does not answer."""
    befriend(server, ROMEO, JULIET)
    server.online(BALCONY)
    server.node.hooks.bind("discreet", Discreet())
    probes(romeo, JULIET)
    romeo.receives_nothing()
