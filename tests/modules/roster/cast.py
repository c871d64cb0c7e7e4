"""Romeo, Juliet and the states of their subscription."""

from tests.scenario.client import Client
from tests.scenario.server import Server

ROSTER = "<iq id='roster' type='get'><query xmlns='jabber:iq:roster'/></iq>"


def interested(server: Server, jid: str, presence: str = "<presence/>") -> Client:
    """Log in, ask for the roster, send initial presence."""
    client = server.connect(jid)
    client.sends(ROSTER)
    client.sends(presence)
    client.forgets()
    return client


def shows(client: Client, *items: str) -> None:
    """Check what is in a client's roster."""
    client.forgets()
    client.sends(ROSTER)
    client.receives(
        f"<iq id='roster' type='result' from='{client.jid.partition('/')[0]}' to='{client.jid}'>"
        f"<query xmlns='jabber:iq:roster' ver='{{any}}'>{''.join(items)}</query></iq>"
    )


def pushed(client: Client, item: str) -> str:
    """Return the push of an item, as that client gets it."""
    return (
        f"<iq id='{{any}}' type='set' from='{client.jid.partition('/')[0]}' to='{client.jid}'>"
        f"<query xmlns='jabber:iq:roster' ver='{{any}}'>{item}</query></iq>"
    )


def subscribe(server: Server, user: str, contact: str) -> None:
    """Let `user` see the presence of `contact`."""
    one, two = server.connect(f"{user}/subscribing"), server.connect(f"{contact}/subscribing")
    one.sends(f"<presence type='subscribe' to='{contact}'/>")
    two.sends(f"<presence type='subscribed' to='{user}'/>")
    for client in (one, two):
        client.disconnects()


def befriend(server: Server, one: str, other: str) -> None:
    """Let two accounts see each other's presence."""
    subscribe(server, one, other)
    subscribe(server, other, one)
