"""XEP-0352: Client State Indication, with a client that is not ours."""

from .cast import Cast
from .client import Client


async def phone(cast: Cast) -> Client:
    """Return Juliet's phone, online."""
    client = cast.client(f"{cast.account('juliet')}/phone")
    client.register_plugin("xep_0352")
    await client.logs_in(cast.deployment.place("starttls"))
    await client.comes_online()
    return client


async def test_presence_waits(cast: Cast) -> None:
    """Server behaviour: while the client is inactive presence waits, and only the last one comes."""
    romeo, juliet = await cast.online("romeo"), await phone(cast)
    assert juliet.plugin["xep_0352"].enabled
    await cast.friends(romeo, juliet)
    juliet.plugin["xep_0352"].send_inactive()
    await juliet.barrier()
    for show in ("away", "xa", "dnd"):
        romeo.send_presence(pshow=show)
    await romeo.barrier()
    juliet.plugin["xep_0352"].send_active()
    presence = await juliet.presence()
    assert (presence["from"], presence["type"]) == (romeo.boundjid, "dnd")
    await juliet.receives_nothing()


async def test_message_does_not_wait(cast: Cast) -> None:
    """RFC 6120, 10.1: a message comes at once, behind what came before it."""
    romeo, juliet = await cast.online("romeo"), await phone(cast)
    await cast.friends(romeo, juliet)
    juliet.plugin["xep_0352"].send_inactive()
    await juliet.barrier()
    romeo.send_presence(pshow="away")
    romeo.send_message(juliet.boundjid, "Ay me!", mtype="chat")
    assert (await juliet.message())["body"] == "Ay me!"
    assert juliet.presences.get_nowait()["type"] == "away"
