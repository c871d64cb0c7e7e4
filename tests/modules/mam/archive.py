"""The examples' cast: saying something, asking an archive for it, and reading what it answers."""

from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from tests.scenario.client import Client

JULIET, ROMEO, NURSE = "juliet@capulet.example", "romeo@montague.example", "nurse@capulet.example"
CHAMBER, BALCONY = f"{JULIET}/chamber", f"{JULIET}/balcony"
ORCHARD, GARDEN = f"{ROMEO}/orchard", f"{ROMEO}/garden"

MAM = "{urn:xmpp:mam:2}"
RSM = "{http://jabber.org/protocol/rsm}"
CLIENT = "{jabber:client}"
FORWARD = "{urn:xmpp:forward:0}"
DELAY = "{urn:xmpp:delay}"


@dataclass
class Answer:
    """What came back.

    :ivar bodies: of the messages, in the order in which they came.
    :ivar ids: theirs.
    :ivar messages: they themselves.
    """

    fin: ET.Element
    results: list[ET.Element] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [result.get("id") or "" for result in self.results]

    @property
    def messages(self) -> list[ET.Element]:
        return [
            found
            for result in self.results
            if (found := result.find(f"{FORWARD}forwarded/{CLIENT}message")) is not None
        ]

    @property
    def bodies(self) -> list[str | None]:
        return [message.findtext(f"{CLIENT}body") for message in self.messages]

    @property
    def is_complete(self) -> bool:
        return self.fin.get("complete") == "true"

    @property
    def first(self) -> str | None:
        return self.fin.findtext(f"{RSM}set/{RSM}first")

    @property
    def last(self) -> str | None:
        return self.fin.findtext(f"{RSM}set/{RSM}last")

    @property
    def count(self) -> str | None:
        return self.fin.findtext(f"{RSM}set/{RSM}count")


def form(**fields: str | list[str]) -> str:
    """Return a submitted form; an underscore stands for a hyphen."""
    parts = ["<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"]
    for var, given in fields.items():
        texts = given if isinstance(given, list) else [given]
        values = "".join(f"<value>{text}</value>" for text in texts)
        parts.append(f"<field var='{var.rstrip('_').replace('_', '-')}'>{values}</field>")
    return f"<x xmlns='jabber:x:data' type='submit'>{''.join(parts)}</x>"


def page(content: str) -> str:
    """Return an RSM <set/>."""
    return f"<set xmlns='http://jabber.org/protocol/rsm'>{content}</set>"


def query(*content: str, to: str | None = None, attributes: str = "") -> str:
    """Return a query."""
    address = "" if to is None else f" to='{to}'"
    return f"<iq type='set' id='q1'{address}><query xmlns='urn:xmpp:mam:2'{attributes}>{''.join(content)}</query></iq>"


def ask(client: Client, *content: str) -> Answer:
    """Ask the client's own archive; return what came, which is nothing but the answer."""
    client.forgets()
    client.sends(query(*content))
    results = []
    while (stanza := client.receives_any()).tag == f"{CLIENT}message":
        result = stanza.find(f"{MAM}result")
        assert result is not None
        results.append(result)
    fin = stanza.find(f"{MAM}fin")
    assert fin is not None, ET.tostring(stanza)
    client.receives_nothing()
    return Answer(fin, results)


def archived(client: Client) -> list[str | None]:
    """Return the bodies of all messages in the client's archive."""
    return ask(client).bodies


def says(sender: Client, to: str, *bodies: str) -> None:
    for body in bodies:
        sender.sends(f"<message to='{to}' type='chat' id='{body}'><body>{body}</body></message>")


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(1, count + 1)]
