"""RFC 6121, 3: managing presence subscriptions."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

from .cast import befriend, interested, pushed, shows, subscribe

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"


def item(jid: str, subscription: str, more: str = "") -> str:
    return f"<item jid='{jid}' subscription='{subscription}' {more}/>"


def presence(from_: str, to: str, type: str = "") -> str:
    return f"<presence from='{from_}' to='{to}'{f' type={type!r}' if type else ''}/>"


@pytest.fixture
def juliet(server: Server) -> Client:
    return interested(server, "juliet@capulet.example/balcony")


@pytest.fixture
def romeo(server: Server) -> Client:
    return interested(server, "romeo@montague.example/orchard")


# 3.1: requesting a subscription


def test_both_ways(server: Server, juliet: Client, romeo: Client) -> None:
    """3.1: two people come to see each other, step by step."""
    romeo.sends("<presence id='xk3h1v69' type='subscribe' to='juliet@capulet.example'/>")
    romeo.receives(pushed(romeo, item(JULIET, "none", "ask='subscribe'")))
    romeo.receives_nothing()
    juliet.receives(f"<presence id='xk3h1v69' from='{ROMEO}' to='{JULIET}' type='subscribe'/>")
    juliet.receives_nothing()

    juliet.sends("<presence id='h4v1c4kj' type='subscribed' to='romeo@montague.example'/>")
    juliet.receives(pushed(juliet, item(ROMEO, "from")))
    romeo.receives(f"<presence id='h4v1c4kj' from='{JULIET}' to='{ROMEO}' type='subscribed'/>")
    romeo.receives(pushed(romeo, item(JULIET, "to")))
    romeo.receives(presence("juliet@capulet.example/balcony", ROMEO))

    juliet.sends("<presence type='subscribe' to='romeo@montague.example'/>")
    juliet.receives(pushed(juliet, item(ROMEO, "from", "ask='subscribe'")))
    romeo.receives(presence(JULIET, ROMEO, "subscribe"))
    romeo.sends("<presence type='subscribed' to='juliet@capulet.example'/>")
    romeo.receives(pushed(romeo, item(JULIET, "both")))
    juliet.receives(presence(ROMEO, JULIET, "subscribed"))
    juliet.receives(pushed(juliet, item(ROMEO, "both")))
    juliet.receives(presence("romeo@montague.example/orchard", JULIET))
    for client in (juliet, romeo):
        client.receives_nothing()


def test_addresses_are_bare(juliet: Client, romeo: Client) -> None:
    """3.1.2: a subscription is between bare JIDs, whatever the client writes."""
    romeo.sends(
        "<presence type='subscribe' to='juliet@capulet.example/balcony' from='romeo@montague.example/orchard'/>"
    )
    romeo.receives(pushed(romeo, item(JULIET, "none", "ask='subscribe'")))
    juliet.receives(presence(ROMEO, JULIET, "subscribe"))


def test_request_with_content(juliet: Client, romeo: Client) -> None:
    """3.1.3: the whole stanza is delivered."""
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'><status>It is my lady</status></presence>")
    juliet.receives(
        f"<presence from='{ROMEO}' to='{JULIET}' type='subscribe'><status>It is my lady</status></presence>"
    )


def test_request_waits_for_its_answer(server: Server) -> None:
    """3.1.3: a request is delivered at each login until it is answered, as it came, and says when it came."""
    server.account(JULIET)
    romeo = interested(server, "romeo@montague.example/orchard")
    romeo.sends(f"<presence id='s1' type='subscribe' to='{JULIET}'><status>It is my lady</status></presence>")
    expected = (
        f"<presence id='s1' from='{ROMEO}' to='{JULIET}' type='subscribe'><status>It is my lady</status>"
        "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2010-05-31T12:00:00Z'/></presence>"
    )
    server.advance(minutes=4)
    for resource in ("balcony", "chamber"):
        juliet = server.connect(f"{JULIET}/{resource}")
        juliet.receives_nothing()
        juliet.sends("<presence/>")
        juliet.receives(presence(juliet.jid, JULIET))
        juliet.receives(expected)
        juliet.sends("<presence><show>away</show></presence>")
        juliet.receives_any()
        juliet.receives_nothing()
        juliet.disconnects()
    answering = server.online(f"{JULIET}/garden")
    answering.sends(f"<presence type='subscribed' to='{ROMEO}'/>")
    server.online(f"{JULIET}/balcony").receives_nothing()
    shows(romeo, item(JULIET, "to"))


def test_request_is_delivered_once_while_it_waits(juliet: Client, romeo: Client) -> None:
    """A.3.1: asking again and again annoys nobody."""
    for _ in range(3):
        romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    juliet.receives(presence(ROMEO, JULIET, "subscribe"))
    juliet.receives_nothing()


def test_large_request_is_kept_without_content() -> None:
    """Strangers cannot fill the database: a large request waits without its content."""
    server = Server(modules={"roster": {"request_size": 1000}})
    server.account(JULIET)
    romeo = interested(server, "romeo@montague.example/orchard")
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'><status>{'x' * 1000}</status></presence>")
    juliet = server.connect(f"{JULIET}/balcony")
    juliet.sends("<presence/>")
    juliet.receives_any()
    juliet.receives(
        f"<presence from='{ROMEO}' to='{JULIET}' type='subscribe'>"
        "<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='{any}'/></presence>"
    )


def test_too_many_requests() -> None:
    """Requests that wait have a limit, and who asks is told."""
    server = Server(modules={"roster": {"requests": 1}})
    server.account(JULIET)
    for name in ("romeo", "benvolio"):
        client = interested(server, f"{name}@montague.example/orchard")
        client.sends(f"<presence id='s1' type='subscribe' to='{JULIET}'/>")
        client.receives_any()
    client.receives_error("resource-constraint", id="s1")


def test_request_to_nobody(server: Server, romeo: Client) -> None:
    """8.5.1: presence to an account that does not exist is ignored, so nobody learns that it does not."""
    romeo.sends("<presence type='subscribe' to='nobody@capulet.example'/>")
    romeo.receives(pushed(romeo, item("nobody@capulet.example", "none", "ask='subscribe'")))
    romeo.receives_nothing()


def test_request_to_a_remote_domain(romeo: Client) -> None:
    """A request that cannot be sent is answered with the reason."""
    romeo.sends("<presence id='s1' type='subscribe' to='hamlet@denmark.example'/>")
    romeo.receives_any()
    romeo.receives_error("remote-server-not-found", id="s1")


@pytest.mark.parametrize("type", ["subscribe", "subscribed", "unsubscribe", "unsubscribed"])
def test_subscription_to_nothing_and_oneself(juliet: Client, type: str) -> None:
    """A subscription needs somebody else."""
    juliet.sends(f"<presence id='s1' type='{type}'/>")
    juliet.receives_error("bad-request", id="s1")
    juliet.sends(f"<presence id='s1' type='{type}' to='{JULIET}'/>")
    juliet.forgets()
    shows(juliet)


def test_subscriber_asks_again(server: Server, juliet: Client, romeo: Client) -> None:
    """3.1.3: who is subscribed and asks is told so by the server, sees presence anew, and bothers nobody."""
    befriend(server, JULIET, ROMEO)
    juliet.forgets()
    romeo.forgets()
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    romeo.receives(presence("juliet@capulet.example/balcony", ROMEO))
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_denial(server: Server, juliet: Client, romeo: Client) -> None:
    """3.2: a request is denied; the contact stays in the roster, without subscription."""
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    juliet.sends(f"<presence type='unsubscribed' to='{ROMEO}'/>")
    romeo.receives_any()
    romeo.receives(presence(JULIET, ROMEO, "unsubscribed"))
    romeo.receives(pushed(romeo, item(JULIET, "none")))
    shows(juliet)
    shows(romeo, item(JULIET, "none"))
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives_nothing()


def test_approval_nobody_asked_for_gives_nothing(juliet: Client, romeo: Client) -> None:
    """A.3.3: a forged approval has no effect."""
    romeo.sends(f"<presence type='subscribed' to='{JULIET}'/>")
    juliet.receives_nothing()
    shows(juliet)


def test_interested_resources_hear_of_approvals(server: Server, romeo: Client) -> None:
    """3.1.6: approvals go to interested resources, requests to available ones."""
    interested_only = server.connect("juliet@capulet.example/interested")
    interested_only.sends("<iq id='roster' type='get'><query xmlns='jabber:iq:roster'/></iq>")
    interested_only.forgets()
    available_only = server.online("juliet@capulet.example/available")
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    available_only.receives(presence(ROMEO, JULIET, "subscribe"))
    interested_only.receives_nothing()
    interested_only.sends(f"<presence type='subscribe' to='{ROMEO}'/>")
    interested_only.receives_any()
    romeo.sends(f"<presence type='subscribed' to='{JULIET}'/>")
    interested_only.receives(presence(ROMEO, JULIET, "subscribed"))
    interested_only.receives(pushed(interested_only, item(ROMEO, "to")))
    interested_only.receives_nothing()
    available_only.receives(presence("romeo@montague.example/orchard", JULIET))
    available_only.receives_nothing()


# 3.2 and 3.3: ending one


def test_cancelling_a_contacts_subscription(server: Server, juliet: Client, romeo: Client) -> None:
    """3.2: who is cancelled sees the user go at once, from all resources, and nothing of it any more."""
    chamber = interested(server, "juliet@capulet.example/chamber")
    befriend(server, JULIET, ROMEO)
    for client in (juliet, chamber, romeo):
        client.forgets()
    juliet.sends(f"<presence type='unsubscribed' to='{ROMEO}'/>")
    romeo.receives_all(
        presence("juliet@capulet.example/balcony", ROMEO, "unavailable"),
        presence("juliet@capulet.example/chamber", ROMEO, "unavailable"),
    )
    romeo.receives(presence(JULIET, ROMEO, "unsubscribed"))
    romeo.receives(pushed(romeo, item(JULIET, "from")))
    chamber.receives(pushed(chamber, item(ROMEO, "to")))
    juliet.sends("<presence><show>away</show></presence>")
    juliet.disconnects()
    romeo.receives_nothing()
    romeo.sends("<presence><show>dnd</show></presence>")
    chamber.forgets()
    romeo.sends("<presence/>")
    chamber.receives(presence("romeo@montague.example/orchard", JULIET))


def test_unsubscribing(server: Server, juliet: Client, romeo: Client) -> None:
    """3.3: who unsubscribes sees the contact go; the contact goes on seeing the user."""
    befriend(server, JULIET, ROMEO)
    juliet.forgets()
    romeo.forgets()
    romeo.sends(f"<presence type='unsubscribe' to='{JULIET}'/>")
    juliet.receives(presence(ROMEO, JULIET, "unsubscribe"))
    juliet.receives(pushed(juliet, item(ROMEO, "to")))
    romeo.receives(pushed(romeo, item(JULIET, "from")))
    romeo.receives(presence("juliet@capulet.example/balcony", ROMEO, "unavailable"))
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives_nothing()
    shows(juliet, item(ROMEO, "to"))
    shows(romeo, item(JULIET, "from"))


def test_request_taken_back(server: Server, juliet: Client, romeo: Client) -> None:
    """3.3.3: a request that is taken back waits no more."""
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    romeo.sends(f"<presence type='unsubscribe' to='{JULIET}'/>")
    juliet.receives(presence(ROMEO, JULIET, "subscribe"))
    juliet.receives(presence(ROMEO, JULIET, "unsubscribe"))
    juliet.sends(f"<presence type='subscribed' to='{ROMEO}'/>")
    shows(romeo, item(JULIET, "none"))


# 3.4: pre-approval


def test_pre_approval(server: Server, juliet: Client) -> None:
    """3.4.2: an approval in advance is kept in the roster; the request is granted when it comes, and nobody is asked."""
    server.account(ROMEO)
    juliet.sends(f"<presence type='subscribed' to='{ROMEO}'/>")
    juliet.receives(pushed(juliet, item(ROMEO, "none", "approved='true'")))
    romeo = interested(server, "romeo@montague.example/orchard")
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    juliet.receives(pushed(juliet, item(ROMEO, "from", "approved='true'")))
    juliet.receives_nothing()
    romeo.receives(pushed(romeo, item(JULIET, "none", "ask='subscribe'")))
    romeo.receives(presence(JULIET, ROMEO, "subscribed"))
    romeo.receives(pushed(romeo, item(JULIET, "to")))
    romeo.receives(presence("juliet@capulet.example/balcony", ROMEO))
    romeo.receives_nothing()


def test_pre_approval_while_the_user_is_away(server: Server) -> None:
    """3.4.2: the server grants it for a user who is not there."""
    juliet = interested(server, "juliet@capulet.example/balcony")
    juliet.sends(f"<presence type='subscribed' to='{ROMEO}'/>")
    juliet.disconnects()
    romeo = interested(server, "romeo@montague.example/orchard")
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    shows(romeo, item(JULIET, "to"))
    juliet = interested(server, "juliet@capulet.example/balcony")
    romeo.receives(presence("juliet@capulet.example/balcony", ROMEO))
    shows(juliet, item(ROMEO, "from", "approved='true'"))


def test_pre_approval_taken_back(server: Server, juliet: Client, romeo: Client) -> None:
    """3.4.2: taken back, it grants nothing, and the contact never learns of it."""
    juliet.sends(f"<presence type='subscribed' to='{ROMEO}'/>")
    juliet.sends(f"<presence type='unsubscribed' to='{ROMEO}'/>")
    juliet.receives(pushed(juliet, item(ROMEO, "none", "approved='true'")))
    juliet.receives(pushed(juliet, item(ROMEO, "none")))
    romeo.receives_nothing()
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    juliet.receives(presence(ROMEO, JULIET, "subscribe"))


# Races and strangers


def test_both_ask_at_once(server: Server, juliet: Client, romeo: Client) -> None:
    """Two requests that cross each other: each is answered for itself."""
    romeo.connection.waiting.append(f"<presence type='subscribe' to='{JULIET}'/>".encode())
    juliet.connection.waiting.append(f"<presence type='subscribe' to='{ROMEO}'/>".encode())
    for client in (romeo, juliet):
        client.connection.pass_on()
    server.run()
    romeo.sends(f"<presence type='subscribed' to='{JULIET}'/>")
    juliet.sends(f"<presence type='subscribed' to='{ROMEO}'/>")
    shows(juliet, item(ROMEO, "both"))
    shows(romeo, item(JULIET, "both"))


def test_one_sided_subscription(server: Server, juliet: Client, romeo: Client) -> None:
    """Presence flows to the subscriber only."""
    subscribe(server, ROMEO, JULIET)
    juliet.forgets()
    romeo.forgets()
    romeo.sends("<presence><show>away</show></presence>")
    juliet.receives_nothing()
    romeo.forgets()
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives(
        "<presence from='juliet@capulet.example/balcony' to='romeo@montague.example'><show>away</show></presence>"
    )
