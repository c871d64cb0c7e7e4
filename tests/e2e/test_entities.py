"""What slixmpp's plugins ask a server: who it is, what it can, how late it is."""

import datetime

import pytest
from slixmpp.exceptions import IqError

import xmppd

from .cast import Cast
from .client import Client
from .deployment import CAPULET

TIME = "{urn:xmpp:time}"


async def romeo(cast: Cast) -> Client:
    """Return somebody who asks."""
    return await cast.online("romeo")


async def test_what_the_server_is(cast: Cast) -> None:
    """XEP-0030: a server for instant messaging, with the features of its modules."""
    info = await (await romeo(cast)).plugin["xep_0030"].get_info(CAPULET)
    identities = {identity[:2] for identity in info["disco_info"]["identities"]}
    assert ("server", "im") in identities
    assert info["disco_info"]["features"] >= {
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
        "jabber:iq:last",
        "jabber:iq:register",
        "jabber:iq:version",
        "urn:xmpp:ping",
        "urn:xmpp:time",
    }


async def test_what_an_account_is(cast: Cast) -> None:
    """XEP-0030: its owner may ask."""
    client = await romeo(cast)
    info = await client.plugin["xep_0030"].get_info(client.boundjid.bare)
    assert ("account", "registered") in {identity[:2] for identity in info["disco_info"]["identities"]}


async def test_items(cast: Cast) -> None:
    """XEP-0030: an account's resources; nothing of strangers."""
    client = await romeo(cast)
    items = await client.plugin["xep_0030"].get_items(client.boundjid.bare)
    assert {item[0] for item in items["disco_items"]["items"]} == {client.boundjid.full}
    with pytest.raises(IqError) as refused:
        await client.plugin["xep_0030"].get_items(cast.account("juliet"))
    assert refused.value.condition == "service-unavailable"


async def test_ping(cast: Cast) -> None:
    """XEP-0199: to the server, to one's account, and through the server to another client."""
    client, juliet = await romeo(cast), await cast.online("juliet")
    for target in (CAPULET, client.boundjid.bare, juliet.boundjid):
        await client.plugin["xep_0199"].send_ping(target)


async def test_version(cast: Cast) -> None:
    """XEP-0092."""
    answer = await (await romeo(cast)).plugin["xep_0092"].get_version(CAPULET)
    assert (answer["software_version"]["name"], answer["software_version"]["version"]) == ("xmppd", xmppd.__version__)


async def test_time(cast: Cast) -> None:
    """XEP-0202: the server's own time, between two looks at ours."""
    client = await romeo(cast)
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    answer = await client.plugin["xep_0202"].get_entity_time(CAPULET)
    told = answer.xml.findtext(f"{TIME}time/{TIME}utc")  # slixmpp adds a second Z when it reads it
    assert told is not None
    assert before <= datetime.datetime.fromisoformat(told) <= datetime.datetime.now(datetime.UTC)


async def test_last_activity(cast: Cast) -> None:
    """XEP-0012: how long the server is up; when a friend was last seen is nobody else's business."""
    client, juliet = await romeo(cast), await cast.online("juliet")
    uptime = await client.plugin["xep_0012"].get_last_activity(CAPULET)
    assert uptime["last_activity"]["seconds"] >= 0
    with pytest.raises(IqError) as refused:
        await client.plugin["xep_0012"].get_last_activity(juliet.boundjid.bare)
    assert refused.value.condition == "service-unavailable"  # as if there were no such account
    await cast.friends(client, juliet)
    await juliet.leaves()
    while (await client.presence())["type"] != "unavailable":
        pass
    seen = await client.plugin["xep_0012"].get_last_activity(juliet.boundjid.bare)
    assert seen["last_activity"]["seconds"] >= 0


async def test_what_nobody_answers(cast: Cast) -> None:
    """RFC 6120, 8.2.3 and 8.3.3.19: every request is answered, be it by an error."""
    raw = await cast.session("romeo")
    await raw.sends(f"<iq id='1' type='get' to='{CAPULET}'><query xmlns='urn:example:unknown'/></iq>")
    answer = await raw.receives()
    assert (answer.get("id"), answer.get("type")) == ("1", "error")
    assert answer.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}service-unavailable") is not None
