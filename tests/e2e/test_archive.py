"""XEP-0313, XEP-0441 and XEP-0424: archives, as an independent client reads them."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from slixmpp.exceptions import IqError

from .cast import Cast
from .client import Client

PAGE = 10
LINES = [f"line {number}" for number in range(25)]


async def reader(cast: Cast, name: str, resource: str = "chamber") -> Client:
    """Return a session that can read archives."""
    client = await cast.online(name, resource)
    for plugin in ("xep_0313", "xep_0441"):
        client.register_plugin(plugin)
    return client


async def talk(cast: Cast) -> tuple[Client, Client]:
    """Let Romeo say all the lines to Juliet; return both when everything is stored."""
    romeo, juliet = await cast.online("romeo"), await reader(cast, "juliet")
    for line in LINES:
        romeo.send_message(juliet.boundjid.bare, line, mtype="chat")
    for _ in LINES:
        await juliet.message()
    return romeo, juliet


def body(result: Any) -> str:
    """Return the body of an archived message."""
    return str(result["mam_result"]["forwarded"]["stanza"]["body"])


async def archived(client: Client, **options: Any) -> list[str]:
    """Return the bodies of all messages, page by page."""
    return [body(result) async for result in client.plugin["xep_0313"].iterate(rsm={"max": PAGE}, **options)]


async def test_pages_forwards_and_backwards(cast: Cast) -> None:
    """Paging through results: from either end, every message once."""
    _, juliet = await talk(cast)
    assert await archived(juliet) == LINES
    assert await archived(juliet, reverse=True) == LINES[::-1]


async def test_filters(cast: Cast) -> None:
    """Filtering by JID and by time received: the client's own way to write addresses and times."""
    romeo, juliet = await talk(cast)
    nurse = await cast.online("nurse")
    nurse.send_message(juliet.boundjid.bare, "Madam!", mtype="chat")
    while (await juliet.message())["body"] != "Madam!":
        pass
    assert await archived(juliet, with_jid=nurse.boundjid.bare) == ["Madam!"]
    assert await archived(juliet, with_jid=romeo.boundjid.full) == LINES
    results = [result async for result in juliet.plugin["xep_0313"].iterate()]
    last = results[-1]["mam_result"]["forwarded"]["delay"]["stamp"]
    assert (await archived(juliet, start=last))[-1] == "Madam!"
    assert await archived(juliet, end=last) == [*LINES, "Madam!"]


async def test_ids_are_those_that_were_delivered(cast: Cast) -> None:
    """Communicating the archive ID: what a client has received it finds again, and what is behind that."""
    romeo, juliet = await cast.online("romeo"), await reader(cast, "juliet")
    ids = []
    for line in LINES[:5]:
        romeo.send_message(juliet.boundjid.bare, line, mtype="chat")
        found = (await juliet.message()).xml.find("{urn:xmpp:sid:0}stanza-id")
        assert found.get("by") == juliet.boundjid.bare
        ids.append(found.get("id"))
    results = [result async for result in juliet.plugin["xep_0313"].iterate()]
    assert [result["mam_result"]["id"] for result in results] == ids
    metadata = (await juliet.plugin["xep_0313"].get_archive_metadata())["mam_metadata"]
    assert (metadata["start"]["id"], metadata["end"]["id"]) == (ids[0], ids[-1])


async def test_what_came_while_nobody_was_there(cast: Cast) -> None:
    """User archives: a message that waited is delivered once, and archived once, as the same."""
    juliet = await reader(cast, "juliet")
    await juliet.leaves()
    romeo = await cast.online("romeo")
    romeo.send_message(juliet.boundjid.bare, "Wert thou as far", mtype="chat")
    await romeo.barrier()
    juliet = await reader(cast, "juliet")
    late = await juliet.message()
    assert late["body"] == "Wert thou as far"
    (result,) = [result async for result in juliet.plugin["xep_0313"].iterate()]
    assert result["mam_result"]["id"] == late.xml.find("{urn:xmpp:sid:0}stanza-id").get("id")


async def test_fields(cast: Cast) -> None:
    """Retrieving form fields."""
    juliet = await reader(cast, "juliet")
    form = await juliet.plugin["xep_0313"].get_fields()
    fields = set(form.get_fields())
    assert fields == {"FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids", "include-groupchat"}


async def test_preferences(cast: Cast) -> None:
    """Archiving Preferences: what is said holds from then on."""
    romeo, juliet = await talk(cast)
    preferences = juliet.plugin["xep_0441"]
    assert await preferences.get_preferences() == ("always", set(), set())
    answer = await preferences.set_preferences(default="always", always=[], never=[romeo.boundjid.bare])
    assert answer["mam_prefs"]["never"] == {romeo.boundjid.bare}
    romeo.send_message(juliet.boundjid.bare, "not this", mtype="chat")
    while (await juliet.message())["body"] != "not this":
        pass
    assert await archived(juliet) == LINES


async def test_somebody_elses_archive(cast: Cast) -> None:
    """Data privacy: nobody else reads it."""
    romeo, juliet = await reader(cast, "romeo"), await cast.online("juliet")
    with pytest.raises(IqError) as error:
        await romeo.plugin["xep_0313"].retrieve(jid=juliet.boundjid.bare)
    assert error.value.condition == "forbidden"


async def test_tombstone(cast: Cast) -> None:
    """XEP-0424: who reads the archive later finds that something was taken back, not what."""
    romeo, juliet = await cast.online("romeo"), await reader(cast, "juliet")
    message = romeo.make_message(juliet.boundjid.bare, "wrong recipient", mtype="chat")
    message.send()
    retraction = romeo.make_message(juliet.boundjid.bare, "I retracted a message", mtype="chat")
    retraction.xml.append(_retract(message["id"]))
    retraction.send()
    while (await juliet.message())["body"] != "I retracted a message":
        pass
    retracted = None
    while retracted is None:  # nobody waits for a tombstone; it is there soon
        first, second = [result async for result in juliet.plugin["xep_0313"].iterate()]
        tombstone = first["mam_result"]["forwarded"]["stanza"].xml
        retracted = tombstone.find("{urn:xmpp:message-retract:1}retracted")
    assert retracted.get("id") == retraction["id"]
    assert tombstone.find("{jabber:client}body") is None
    assert body(second) == "I retracted a message"


def _retract(id: str) -> Any:
    return ET.Element("{urn:xmpp:message-retract:1}retract", {"id": id})
