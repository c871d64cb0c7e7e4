"""One log, as an independent client sees it: what comes late, what archives show and what devices have heard is the same.

What each specification wants by itself is in the tests beside this one.
"""

from typing import Any

from .cast import Cast
from .client import Client

SID = "{urn:xmpp:sid:0}stanza-id"
DELAY = "{urn:xmpp:delay}delay"
LINES = [f"line {number}" for number in range(60)]  # more than the server reads at once
PAGE = 7


async def device(cast: Cast, name: str, resource: str) -> Client:
    """Return an online session with carbons that can read archives."""
    client = await cast.connected(name, resource)
    for plugin in ("xep_0280", "xep_0313"):
        client.register_plugin(plugin)
    await client.plugin["xep_0280"].enable()
    await client.comes_online()
    return client


def id_in(message: Any, account: str) -> str:
    """Return the id that an account's log gives to a message, be it in a copy; it has exactly one."""
    (found,) = [each.get("id") for each in message.xml.iter(SID) if each.get("by") == account]
    return str(found)


async def archive(client: Client, **options: str) -> list[tuple[str, str]]:
    """Return (id, body) of all messages, page by page."""
    results = [result async for result in client.plugin["xep_0313"].iterate(rsm={"max": PAGE, **options})]
    return [
        (result["mam_result"]["id"], str(result["mam_result"]["forwarded"]["stanza"]["body"])) for result in results
    ]


async def test_what_waits_comes_late_and_in_order(cast: Cast) -> None:
    """XEP-0160: with the host's delay and the ids of the archive; then what is said now, without a delay."""
    account = cast.account("juliet")
    romeo = await cast.online("romeo")
    for line in LINES:
        romeo.send_message(account, line, mtype="chat")
    await romeo.barrier()
    juliet = await device(cast, "juliet", "chamber")
    late = [await juliet.message() for _ in LINES]
    romeo.send_message(account, "now", mtype="chat")
    live = await juliet.message()
    assert [message["body"] for message in (*late, live)] == [*LINES, "now"]
    assert {message.xml.find(DELAY).get("from") for message in late} == {juliet.boundjid.domain}
    assert live.xml.find(DELAY) is None
    await juliet.barrier()
    assert juliet.messages.empty()
    assert await archive(juliet) == [(id_in(message, account), message["body"]) for message in (*late, live)]


async def test_one_device_has_it_no_other_gets_it_late(cast: Cast) -> None:
    """XEP-0313, Business rules: who comes later reads both sides in the archive, from where it was; nothing comes twice."""
    account = cast.account("juliet")
    romeo = await cast.online("romeo")
    phone, laptop = await device(cast, "juliet", "phone"), await device(cast, "juliet", "laptop")
    phone.forgets()
    romeo.send_message(account, "one", mtype="chat")
    first, same = await phone.message(), await laptop.message()
    assert id_in(first, account) == id_in(same, account)
    await laptop.leaves()
    romeo.send_message(account, "two", mtype="chat")
    assert (await phone.message())["body"] == "two"
    phone.send_message(romeo.boundjid.bare, "three", mtype="chat")
    assert (await romeo.message())["body"] == "three"
    laptop = await device(cast, "juliet", "laptop")
    await laptop.barrier()
    assert laptop.messages.empty()
    missed = await archive(laptop, after=id_in(same, account))
    assert [text for _, text in missed] == ["two", "three"]
    assert await archive(phone) == [(id_in(first, account), "one"), *missed]
