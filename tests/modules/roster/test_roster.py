"""RFC 6121, 2: managing the roster."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

from .cast import ROSTER, befriend, interested, pushed, shows, subscribe

SET = "<iq id='set1' type='set'><query xmlns='jabber:iq:roster'>{}</query></iq>"
DONE = "<iq id='set1' type='result' from='juliet@capulet.example' to='{}'/>"
NURSE = "<item jid='nurse@capulet.example' name='Nurse'><group>Servants</group></item>"
SHOWN_NURSE = "<item jid='nurse@capulet.example' name='Nurse' subscription='none'><group>Servants</group></item>"


def test_features(server: Server) -> None:
    """2.6.1 and 3.4.1: versions and pre-approval are offered once the client is authenticated."""
    juliet = server.connection()
    server.account("juliet@capulet.example")
    before = juliet.opens("capulet.example")
    juliet.authenticates("juliet", "pencil")
    after = juliet.opens("capulet.example")
    for name in ("{urn:xmpp:features:rosterver}ver", "{urn:xmpp:features:pre-approval}sub"):
        assert before.find(name) is None
        assert after.find(name) is not None


def test_empty_roster(server: Server) -> None:
    """2.1.4: a roster without items is a query without items."""
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.sends(ROSTER)
    juliet.receives(
        "<iq id='roster' type='result' from='juliet@capulet.example' to='juliet@capulet.example/balcony'>"
        "<query xmlns='jabber:iq:roster' ver='0'/></iq>"
    )


def test_adding(server: Server) -> None:
    """2.3: the client gets its result, and every interested resource a push."""
    balcony = interested(server, "juliet@capulet.example/balcony")
    chamber = interested(server, "juliet@capulet.example/chamber")
    garden = server.online("juliet@capulet.example/garden")
    for client in (balcony, chamber, garden):
        client.forgets()
    balcony.sends(SET.format(NURSE))
    balcony.receives_all(DONE.format(balcony.jid), pushed(balcony, SHOWN_NURSE))
    chamber.receives(pushed(chamber, SHOWN_NURSE))
    chamber.receives_nothing()
    garden.receives_nothing()
    shows(chamber, SHOWN_NURSE)


def test_answers_to_pushes(server: Server) -> None:
    """2.1.6: clients answer pushes; nobody waits for that, and an error changes nothing."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format(NURSE))
    juliet.forgets()
    juliet.sends("<iq id='push1' type='result'/>")
    juliet.sends("<iq id='push1' type='error'><error type='cancel'><item-not-found/></error></iq>")
    juliet.receives_nothing()
    shows(juliet, SHOWN_NURSE)


def test_updating(server: Server) -> None:
    """2.4: a set replaces name and groups."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format(NURSE))
    juliet.sends(SET.format("<item jid='nurse@capulet.example'><group>Family</group></item>"))
    shows(juliet, "<item jid='nurse@capulet.example' subscription='none'><group>Family</group></item>")


def test_set_leaves_the_subscription(server: Server) -> None:
    """2.1.2.5: what a client says of subscription, ask and approved is not heard."""
    befriend(server, "juliet@capulet.example", "romeo@montague.example")
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format("<item jid='romeo@montague.example' name='Romeo' subscription='none' approved='true'/>"))
    shows(juliet, "<item jid='romeo@montague.example' name='Romeo' subscription='both'/>")
    juliet.sends(SET.format("<item jid='nurse@capulet.example' subscription='both' ask='subscribe'/>"))
    shows(
        juliet,
        "<item jid='romeo@montague.example' name='Romeo' subscription='both'/>",
        "<item jid='nurse@capulet.example' subscription='none'/>",
    )


@pytest.mark.parametrize(
    ("item", "condition"),
    [
        ("", "bad-request"),
        (NURSE + NURSE, "bad-request"),
        ("<item jid='nurse@capulet.example'><group/></item>", "not-acceptable"),
        ("<item jid='juliet@capulet.example'/>", "not-allowed"),
        ("<item jid='@'/>", "jid-malformed"),
    ],
)
def test_errors(server: Server, item: str, condition: str) -> None:
    """2.3.3: a set that is wrong changes nothing and is pushed to nobody."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format(item))
    juliet.receives_error(condition, id="set1")
    juliet.receives_nothing()
    shows(juliet)


@pytest.mark.parametrize("type", ["get", "set"])
def test_somebody_elses_roster(server: Server, type: str) -> None:
    """2.3.3 and 8.5.1: a roster is its owner's; nobody else learns that there is one."""
    romeo = interested(server, "romeo@montague.example/garden")
    juliet = interested(server, "juliet@capulet.example/balcony")
    for localpart in ("juliet", "nobody"):
        to = f"{localpart}@capulet.example"
        romeo.sends(f"<iq id='set1' type='{type}' to='{to}'><query xmlns='jabber:iq:roster'>{NURSE}</query></iq>")
        romeo.receives(
            f"<iq id='set1' type='error' from='{to}' to='{romeo.jid}'><error type='cancel' code='503'>"
            "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    juliet.receives_nothing()
    shows(juliet)
    shows(romeo)


def test_full_roster(server: Server) -> None:
    """A roster has a limit, and an error for it."""
    small = Server(limits={"roster_items": 10})
    juliet = interested(small, "juliet@capulet.example/balcony")
    for number in range(10):
        juliet.sends(SET.format(f"<item jid='guest{number}@capulet.example'/>"))
    juliet.forgets()
    juliet.sends(SET.format(NURSE))
    juliet.receives_error("resource-constraint", id="set1")
    juliet.sends("<presence id='sub1' type='subscribe' to='nurse@capulet.example'/>")
    juliet.receives_error("resource-constraint", id="sub1")
    juliet.sends(
        "<presence id='pre1' type='subscribed' to='nurse@capulet.example'/>"
    )  # 3.4: a pre-approval is kept, too
    juliet.receives_error("resource-constraint", type="wait", id="pre1")
    juliet.sends(SET.format("<item jid='guest1@capulet.example' name='First'/>"))
    assert juliet.receives_any().get("type") in ("result", "set")


# 2.5


def test_removing(server: Server) -> None:
    """2.5.1: the item goes from all interested resources."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format(NURSE))
    juliet.forgets()
    juliet.sends(SET.format("<item jid='nurse@capulet.example' subscription='remove'/>"))
    juliet.receives_all(
        DONE.format(juliet.jid), pushed(juliet, "<item jid='nurse@capulet.example' subscription='remove'/>")
    )
    shows(juliet)


def test_removing_what_is_not_there(server: Server) -> None:
    """2.5.3: the client is told so."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format("<item jid='nurse@capulet.example' subscription='remove'/>"))
    juliet.receives_error("item-not-found", type="cancel", id="set1")
    juliet.receives_nothing()


def test_removing_a_friend(server: Server) -> None:
    """2.5.2: both subscriptions end, on both sides, and nobody sees anybody any more."""
    befriend(server, "juliet@capulet.example", "romeo@montague.example")
    juliet = interested(server, "juliet@capulet.example/balcony")
    romeo = interested(server, "romeo@montague.example/garden")
    juliet.forgets()
    juliet.sends(SET.format("<item jid='romeo@montague.example' subscription='remove'/>"))
    romeo.receives("<presence from='juliet@capulet.example/balcony' to='romeo@montague.example' type='unavailable'/>")
    romeo.receives("<presence from='juliet@capulet.example' to='romeo@montague.example' type='unsubscribe'/>")
    romeo.receives(pushed(romeo, "<item jid='juliet@capulet.example' subscription='to'/>"))
    romeo.receives("<presence from='juliet@capulet.example' to='romeo@montague.example' type='unsubscribed'/>")
    romeo.receives(pushed(romeo, "<item jid='juliet@capulet.example' subscription='none'/>"))
    romeo.receives_nothing()
    juliet.receives_all(
        DONE.format(juliet.jid),
        pushed(juliet, "<item jid='romeo@montague.example' subscription='remove'/>"),
        "<presence from='romeo@montague.example/garden' to='juliet@capulet.example' type='unavailable'/>",
    )
    juliet.receives_nothing()
    shows(juliet)
    shows(romeo, "<item jid='juliet@capulet.example' subscription='none'/>")
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives_nothing()


def test_removing_who_waits(server: Server) -> None:
    """2.5.2: who was asked learns that the request is taken back."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    server.account("romeo@montague.example")
    juliet.sends("<presence type='subscribe' to='romeo@montague.example'/>")
    juliet.sends(SET.format("<item jid='romeo@montague.example' subscription='remove'/>"))
    interested(server, "romeo@montague.example/garden").receives_nothing()
    late = server.connect("romeo@montague.example/late")
    late.sends("<presence type='subscribed' to='juliet@capulet.example'/>")
    shows(juliet)


# 2.6


def versioned(ver: str) -> str:
    return f"<iq id='roster' type='get'><query xmlns='jabber:iq:roster' ver='{ver}'/></iq>"


def test_version_that_is_current(server: Server) -> None:
    """2.6.2: a client that has the current version gets an empty result, and pushes from then on."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format(NURSE))
    juliet.forgets()
    juliet.sends(ROSTER)
    juliet.receives(
        "<iq id='roster' type='result' from='juliet@capulet.example' to='juliet@capulet.example/balcony'>"
        f"<query xmlns='jabber:iq:roster' ver='{{version}}'>{SHOWN_NURSE}</query></iq>"
    )
    chamber = server.connect("juliet@capulet.example/chamber")
    chamber.sends(versioned("{version}"))
    chamber.receives(
        "<iq id='roster' type='result' from='juliet@capulet.example' to='juliet@capulet.example/chamber'/>"
    )
    juliet.sends(SET.format("<item jid='tybalt@capulet.example'/>"))
    chamber.receives(pushed(chamber, "<item jid='tybalt@capulet.example' subscription='none'/>"))
    chamber.sends(versioned("{version}"))
    assert len(chamber.receives_any()[0]) == 2


@pytest.mark.parametrize("ver", ["", "0", "1", "another server"])
def test_version_that_is_not(server: Server, ver: str) -> None:
    """2.6.2: any other version, and none, brings the whole roster."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(SET.format(NURSE))
    juliet.forgets()
    juliet.sends(versioned(ver))
    juliet.receives(
        "<iq id='roster' type='result' from='juliet@capulet.example' to='juliet@capulet.example/balcony'>"
        f"<query xmlns='jabber:iq:roster' ver='{{any}}'>{SHOWN_NURSE}</query></iq>"
    )


def test_pushes_tell_the_version(server: Server) -> None:
    """2.6.3: who has all pushes has the current version."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends("<presence type='subscribe' to='romeo@montague.example'/>")
    push = juliet.receives_any()
    server.captured["pushed"] = push[0].get("ver", "")
    juliet.forgets()
    juliet.sends(versioned("{pushed}"))
    assert len(juliet.receives_any()) == 0


def test_request_does_not_change_the_visible_roster(server: Server) -> None:
    """3.1.3: a request that waits is in nobody's roster result."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    romeo = interested(server, "romeo@montague.example/garden")
    romeo.sends("<presence type='subscribe' to='juliet@capulet.example'/>")
    juliet.receives("<presence from='romeo@montague.example' to='juliet@capulet.example' type='subscribe'/>")
    juliet.receives_nothing()
    shows(juliet)


# Two clients at once


def test_two_clients_change_one_roster(server: Server) -> None:
    """Two resources that write in turn: each sees all pushes, in the order of the versions."""
    balcony = interested(server, "juliet@capulet.example/balcony")
    chamber = interested(server, "juliet@capulet.example/chamber")
    balcony.forgets()
    for number in range(3):
        balcony.sends(SET.format(f"<item jid='b{number}@capulet.example'/>"))
        chamber.sends(SET.format(f"<item jid='c{number}@capulet.example'/>"))
    seen = []
    for client in (balcony, chamber):
        server.run()
        stanzas = [stanza for stanza in client.inbox if stanza.get("type") == "set"]
        seen.append([(stanza[0].get("ver"), stanza[0][0].get("jid")) for stanza in stanzas])
        client.inbox.clear()
    assert seen[0] == seen[1]
    assert [int(version or "") for version, _ in seen[0]] == sorted({int(version or "") for version, _ in seen[0]})
    assert len(seen[0]) == 6
    shows(
        balcony,
        *[f"<item jid='{name}{number}@capulet.example' subscription='none'/>" for number in range(3) for name in "bc"],
    )


# Accounts that go


def test_account_removed(server: Server) -> None:
    """Contacts of an account that is removed lose it; a new account of that name begins with nothing."""
    befriend(server, "juliet@capulet.example", "romeo@montague.example")
    juliet = interested(server, "juliet@capulet.example/balcony")
    romeo = interested(server, "romeo@montague.example/garden")
    juliet.forgets()
    server.wait(server.node.accounts.delete(server.account("juliet@capulet.example")))
    romeo.receives("<presence from='juliet@capulet.example/balcony' to='romeo@montague.example' type='unavailable'/>")
    romeo.receives("<presence from='juliet@capulet.example' to='romeo@montague.example' type='unsubscribe'/>")
    romeo.receives(pushed(romeo, "<item jid='juliet@capulet.example' subscription='to'/>"))
    romeo.receives("<presence from='juliet@capulet.example' to='romeo@montague.example' type='unsubscribed'/>")
    romeo.receives(pushed(romeo, "<item jid='juliet@capulet.example' subscription='none'/>"))
    romeo.receives_nothing()
    shows(interested(server, "juliet@capulet.example/balcony"))


def test_account_removed_while_its_request_waits(server: Server) -> None:
    """A request of an account that is gone goes too."""
    romeo = interested(server, "romeo@montague.example/garden")
    server.account("juliet@capulet.example")
    romeo.sends("<presence type='subscribe' to='juliet@capulet.example'/>")
    server.wait(server.node.accounts.delete(server.account("romeo@montague.example")))
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.sends("<presence/>")
    juliet.receives("<presence from='juliet@capulet.example/balcony' to='juliet@capulet.example'/>")
    juliet.receives_nothing()


def test_one_sided(server: Server) -> None:
    """What `subscribe` of the cast does: one side sees, the other is seen."""
    subscribe(server, "romeo@montague.example", "juliet@capulet.example")
    shows(server.connect("romeo@montague.example/garden"), "<item jid='juliet@capulet.example' subscription='to'/>")
    shows(server.connect("juliet@capulet.example/balcony"), "<item jid='romeo@montague.example' subscription='from'/>")


# Guests


def guest(server: Server) -> Client:
    """Log in without an account (XEP-0175)."""
    client = server.connection()
    client.opens("shakespeare.example")
    client.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
    assert client.receives_any().tag.endswith("success")
    client.opens("shakespeare.example")
    client.jid = client.binds("")
    return client


def test_guest_has_no_contacts() -> None:
    """XEP-0175: whoever is somebody else tomorrow keeps no roster, and nobody subscribes to them."""
    server = Server(anonymous=True)
    romeo = interested(server, "romeo@montague.example/garden")
    visitor = guest(server)
    visitor.sends("<presence/>")
    visitor.forgets()
    visitor.sends(SET.format(NURSE))
    visitor.receives_error("not-allowed", id="set1")
    for type in ("subscribe", "subscribed"):
        visitor.sends(f"<presence id='sub1' type='{type}' to='romeo@montague.example'/>")
        visitor.receives_error("not-allowed", id="sub1")
    romeo.sends(f"<presence type='subscribe' to='{visitor.jid}'/>")
    romeo.forgets()
    visitor.receives_nothing()
    shows(visitor)
