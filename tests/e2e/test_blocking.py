"""XEP-0191: Blocking Command, with a client that is not ours."""

import asyncio
from typing import Any

from slixmpp.exceptions import IqError

from .cast import Cast
from .client import Client


async def judge(cast: Cast, resource: str = "balcony") -> Client:
    """Return an online session of Juliet's that can block."""
    client = await cast.connected("juliet", resource)
    client.register_plugin("xep_0191")
    await client.comes_online()
    return client


async def blocked(client: Client) -> set[str]:
    """Return whom the client's account has blocked."""
    answer = await client.plugin["xep_0191"].get_blocked()
    return {item.get("jid") for item in answer.xml.iter("{urn:xmpp:blocking}item")}


async def unavailable(client: Client, of: Client) -> None:
    """Wait until a client sees another one go."""
    presence = await client.presence()
    assert (presence["from"], presence["type"]) == (of.boundjid, "unavailable")


async def test_blocked_and_unblocked(cast: Cast) -> None:
    """User Blocks JID, User Unblocks JID: messages, presence and requests."""
    romeo, juliet = await cast.online("romeo"), await judge(cast)
    await cast.friends(romeo, juliet)
    await juliet.plugin["xep_0191"].block(romeo.boundjid.bare)
    assert await blocked(juliet) == {romeo.boundjid.bare}
    await unavailable(romeo, juliet)
    romeo.send_message(juliet.boundjid.bare, "Ay me!", mtype="chat")
    assert (await romeo.message())["error"]["condition"] == "service-unavailable"
    try:
        await romeo.plugin["xep_0199"].send_ping(juliet.boundjid)
        raise AssertionError("somebody who is blocked was answered")
    except IqError as error:
        assert error.condition == "service-unavailable"
    juliet.send_message(romeo.boundjid.bare, "Can you hear me now?", mtype="chat")
    refusal: Any = await juliet.message()
    assert refusal["error"]["condition"] == "not-acceptable"
    assert refusal.xml.find(".//{urn:xmpp:blocking:errors}blocked") is not None
    romeo.send_presence(pshow="away")
    await romeo.barrier()
    romeo.forgets()
    await juliet.receives_nothing()
    await juliet.plugin["xep_0191"].unblock(romeo.boundjid.bare)
    presence = await juliet.presence()
    assert (presence["from"], presence["type"]) == (romeo.boundjid, "away")
    assert (await romeo.presence())["from"] == juliet.boundjid
    romeo.send_message(juliet.boundjid.bare, "I hear", mtype="chat")
    assert (await juliet.message())["body"] == "I hear"


async def test_other_resources_are_told(cast: Cast) -> None:
    """User Blocks JID: those that have asked for the list."""
    balcony, chamber = await judge(cast), await judge(cast, "chamber")
    pushed: asyncio.Queue[Any] = asyncio.Queue()
    chamber.add_event_handler("blocked", pushed.put_nowait)
    assert await blocked(chamber) == set()
    await balcony.plugin["xep_0191"].block("iago@shakespeare.example")
    push = await pushed.get()
    (item,) = push.xml.iter("{urn:xmpp:blocking}item")
    assert item.get("jid") == "iago@shakespeare.example"


async def test_list_lasts(cast: Cast) -> None:
    """User Blocks JID: the block applies across sessions."""
    juliet = await judge(cast)
    await juliet.plugin["xep_0191"].block(["iago@shakespeare.example", "montague.example"])
    await juliet.leaves()
    again = await judge(cast)
    assert await blocked(again) == {"iago@shakespeare.example", "montague.example"}
