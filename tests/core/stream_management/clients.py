"""What clients say of XEP-0198, for its tests."""

from xml.etree import ElementTree as ET

from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server

NS = "urn:xmpp:sm:3"
SM = f"{{{NS}}}"
JULIET = "juliet@capulet.example/balcony"
ROMEO = "romeo@montague.example/orchard"
REQUEST = f"<r xmlns='{NS}'/>"


def a(h: int) -> str:
    """Return an acknowledgement."""
    return f"<a xmlns='{NS}' h='{h}'/>"


def message(number: int = 1, to: str = JULIET) -> str:
    """Return a message with a body."""
    return f"<message to='{to}' id='m{number}' type='chat'><body>{number}</body></message>"


def enables(client: Client, **attributes: str) -> ET.Element:
    """Enable stream management; return the answer."""
    client.forgets()
    written = "".join(f" {name}='{value}'" for name, value in attributes.items())
    client.sends(f"<enable xmlns='{NS}'{written}/>")
    return client.receives_any()


def resumable(client: Client, **attributes: str) -> str:
    """Enable it with resumption; return the id."""
    answer = enables(client, resume="true", **attributes)
    assert answer.tag == f"{SM}enabled"
    return answer.attrib["id"]


def authenticated(server: Server, jid: str = JULIET) -> Client:
    """Return a connection on which an account has authenticated and nothing else."""
    localpart, _, host = jid.partition("/")[0].partition("@")
    server.account(jid)
    client = server.connection()
    client.opens(host)
    client.authenticates(localpart, PASSWORD)
    client.opens(host)
    return client


def resumes(server: Server, id: str, h: int, jid: str = JULIET) -> Client:
    """Ask on a new connection for a session; what is answered waits there."""
    client = authenticated(server, jid)
    client.sends(f"<resume xmlns='{NS}' previd='{id}' h='{h}'/>")
    return client


def condition(failed: ET.Element) -> str:
    """Return the condition of a <failed/>."""
    assert failed.tag == f"{SM}failed", failed.tag
    return failed[0].tag.removeprefix("{urn:ietf:params:xml:ns:xmpp-stanzas}")


def stanzas(client: Client) -> list[str]:
    """Return the ids, or the kinds, of the stanzas that have come, and forget them; what is no stanza is dropped."""
    client.server.run()
    names = [element.get("id") or element.tag for element in client.inbox if element.tag.startswith("{jabber:client}")]
    client.inbox.clear()
    return names


def server_knows(server: Server, id: str) -> bool:
    """Whether a session can be resumed."""
    return resumes(server, id, 0).receives_any().tag == f"{SM}resumed"
