"""XEP-0280: Message Carbons, with a client that is not ours."""

from typing import Any

from .cast import Cast
from .client import Client

SID = "{urn:xmpp:sid:0}stanza-id"


async def copied(cast: Cast, name: str, resource: str) -> Client:
    """Return an online session that has carbons."""
    client = await cast.connected(name, resource)
    client.register_plugin("xep_0280")
    await client.plugin["xep_0280"].enable()
    await client.comes_online()
    return client


async def all_forget(*clients: Client) -> None:
    """Drop what came by way of presence."""
    for client in clients:
        await client.barrier()
        client.forgets()


def ids(message: Any, by: Client) -> list[str]:
    """Return the ids that an account has given to a message, be it in a copy."""
    return [found.get("id") for found in message.xml.iter(SID) if found.get("by") == by.boundjid.bare]


async def test_conversation_on_two_devices(cast: Cast) -> None:
    """Receiving Messages, Sending Messages: both sides of a conversation are on all devices."""
    romeo = await cast.online("romeo")
    balcony, chamber = await copied(cast, "juliet", "balcony"), await copied(cast, "juliet", "chamber")
    await all_forget(balcony, chamber)
    romeo.send_message(balcony.boundjid, "What light through yonder window breaks?", mtype="chat")
    message, copy = await balcony.message(), await chamber.message()
    inner = copy["carbon_received"]
    assert (copy["from"], copy["to"], copy["type"]) == (balcony.boundjid.bare, chamber.boundjid, "chat")
    assert (inner["from"], inner["to"], inner["body"]) == (romeo.boundjid, balcony.boundjid, message["body"])
    assert len(ids(message, balcony)) == 1
    assert ids(copy, balcony) == ids(message, balcony)
    chamber.send_message(romeo.boundjid, "Ay me!", mtype="chat")
    assert (await romeo.message())["body"] == "Ay me!"
    copy = await balcony.message()
    inner = copy["carbon_sent"]
    assert (inner["from"], inner["to"], inner["body"]) == (chamber.boundjid, romeo.boundjid, "Ay me!")
    assert len(ids(copy, balcony)) == 1
    for client in (romeo, balcony, chamber):
        await client.receives_nothing()


async def test_everybody_has_it_once(cast: Cast) -> None:
    """Receiving Messages: who gets the message gets no copy."""
    romeo = await cast.online("romeo")
    balcony, chamber = await copied(cast, "juliet", "balcony"), await copied(cast, "juliet", "chamber")
    await all_forget(balcony, chamber)
    romeo.send_message(balcony.boundjid.bare, "to all", mtype="chat")
    await romeo.barrier()
    for client in (balcony, chamber):
        assert (await client.message())["body"] == "to all"
        await client.receives_nothing()


async def test_disabled(cast: Cast) -> None:
    """Disabling Carbons."""
    romeo = await cast.online("romeo")
    balcony, chamber = await copied(cast, "juliet", "balcony"), await copied(cast, "juliet", "chamber")
    await chamber.plugin["xep_0280"].disable()
    await all_forget(balcony, chamber)
    romeo.send_message(balcony.boundjid, "to the balcony", mtype="chat")
    assert (await balcony.message())["body"] == "to the balcony"
    await romeo.barrier()
    await chamber.receives_nothing()
