"""Romeo, who is connected, writes to Juliet, who need not be."""

from collections.abc import AsyncIterator
from typing import Any

from tests.scenario.client import Client
from xmppd.core.commands import Row
from xmppd.protocol.jid import Jid

from .office import SOCKET, Office

ORCHARD = "romeo@montague.example/orchard"
BALCONY = "juliet@capulet.example/balcony"
ROMEO = Jid("romeo@montague.example")
JULIET = Jid("juliet@capulet.example")


def says(client: Client, *texts: str, to: str = JULIET, content: str = "", id: str = "m") -> None:
    """Send messages; the first has the id `id`0, and so on."""
    for number, text in enumerate(texts):
        client.sends(f"<message to='{to}' type='chat' id='{id}{number}'><body>{text}</body>{content}</message>")
    client.server.run()


def streamed(office: Office, words: str, **given: object) -> list[dict[str, Any]]:
    """Run a command that streams, and comes to an end; return its rows."""
    rows: list[dict[str, Any]] = []

    async def each(row: Row) -> None:
        rows.append(dict(row))

    office.run(words, caller=SOCKET, each=each, **given)
    return rows


async def gathered(rows: AsyncIterator[Any]) -> list[Any]:
    """Return all that a generator yields."""
    return [row async for row in rows]
