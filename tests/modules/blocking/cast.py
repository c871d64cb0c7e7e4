"""Juliet and whom she blocks."""

from xml.etree import ElementTree as ET

from tests.scenario.client import Client

JULIET, ROMEO, NURSE = "juliet@capulet.example", "romeo@montague.example", "nurse@capulet.example"
NS = "xmlns='urn:xmpp:blocking'"
LIST = f"<iq id='blocklist1' type='get'><blocklist {NS}/></iq>"
BODY = "<body>Can you hear me now?</body>"


def items(*jids: str) -> str:
    return "".join([f"<item jid='{jid}'/>" for jid in jids])


def lists(client: Client) -> list[str]:
    """Ask for the list; return the addresses."""
    client.sends(LIST)
    answer = client.receives_any()
    assert answer.get("type") == "result"
    return [item.get("jid", "") for item in answer[0]]


def block(client: Client, *jids: str) -> None:
    """Block addresses, on a client that has not asked for the list."""
    client.sends(f"<iq id='block1' type='set'><block {NS}>{items(*jids)}</block></iq>")
    client.receives(f"<iq id='block1' type='result' from='{client.jid.partition('/')[0]}' to='{client.jid}'/>")


def unblock(client: Client, *jids: str) -> list[ET.Element]:
    """Unblock addresses, all of them if none is named; return the presence that comes before the answer."""
    client.sends(f"<iq id='unblock1' type='set'><unblock {NS}>{items(*jids)}</unblock></iq>")
    seen = []
    while (got := client.receives_any()).tag == "{jabber:client}presence":
        seen.append(got)
    assert (got.get("id"), got.get("type"), len(got)) == ("unblock1", "result", 0)
    return seen


def pushed(client: Client, kind: str, *jids: str) -> str:
    """Return the push of a change, as that client gets it."""
    return (
        f"<iq id='{{any}}' type='set' from='{client.jid.partition('/')[0]}' to='{client.jid}'>"
        f"<{kind} {NS}>{items(*jids)}</{kind}></iq>"
    )


def refused(client: Client, id: str | None = None) -> None:
    """Check that the client is told that it has blocked the address itself."""
    error = client.receives_error("not-acceptable", type="cancel", id=id)
    assert error.find(".//{urn:xmpp:blocking:errors}blocked") is not None
