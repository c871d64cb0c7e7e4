"""RFC 6121, 2 to 4: who knows whom, and who sees whom."""

from .cast import Cast
from .client import Client
from .deployment import MONTAGUE


async def test_contacts_are_kept(cast: Cast) -> None:
    """2.3 to 2.5: added, renamed, removed; every interested resource is pushed the change, and later ones read it."""
    here, there = await cast.online("romeo", "orchard"), await cast.online("romeo", "home")
    juliet = cast.stranger("juliet")
    await here.update_roster(juliet, name="Juliet", groups=["Capulets"])
    assert await here.push() == await there.push() == (juliet, "none", "")
    await here.update_roster(juliet, name="Juliet", groups=["Family"])
    assert await there.push() == (juliet, "none", "")
    later = await cast.connected("romeo", "later")
    item = (await later.get_roster())["roster"]["items"][juliet]
    assert (item["name"], item["groups"], item["subscription"]) == ("Juliet", ["Family"], "none")
    await here.del_roster_item(juliet)
    assert await there.push() == (juliet, "remove", "")
    assert (await (await cast.connected("romeo", "last")).get_roster())["roster"]["items"] == {}


async def subscribes(one: Client, other: Client) -> None:
    """3.1: `one` asks, `other` agrees; each learns it step by step."""
    one.send_presence_subscription(other.boundjid.bare, ptype="subscribe")
    assert await one.push() == (other.boundjid.bare, "none", "subscribe")
    request = await other.presence()
    assert (request["type"], request["from"]) == ("subscribe", one.boundjid.bare)
    other.send_presence_subscription(one.boundjid.bare, ptype="subscribed")
    assert await other.push() == (one.boundjid.bare, "from", "")
    assert await one.push() == (other.boundjid.bare, "to", "")


async def test_one_asks_and_the_other_agrees(cast: Cast) -> None:
    """3.1 and 4.2: the request, the approval, the pushes, and at once the contact's presence; in one direction only."""
    romeo, juliet = await cast.online("romeo", host=MONTAGUE), await cast.online("juliet")
    await subscribes(romeo, juliet)
    seen = [await romeo.presence(), await romeo.presence()]
    assert [(each["type"], each["from"]) for each in seen] == [
        ("subscribed", juliet.boundjid.bare),
        ("available", juliet.boundjid),
    ]
    romeo.send_presence(pstatus="in the orchard")
    await romeo.presence()
    await romeo.receives_nothing()
    await juliet.receives_nothing()


async def test_a_request_waits_for_its_answer(cast: Cast) -> None:
    """3.1.3: who was not there is asked when there again."""
    romeo = await cast.online("romeo")
    romeo.send_presence_subscription(cast.account("juliet"), ptype="subscribe")
    await romeo.barrier()
    juliet = await cast.connected("juliet")
    await juliet.get_roster()
    juliet.send_presence()
    seen = {(each["type"], each["from"].bare) for each in (await juliet.presence(), await juliet.presence())}
    assert seen == {("subscribe", romeo.boundjid.bare), ("available", juliet.boundjid.bare)}


async def test_friends_see_each_other_come_and_go(cast: Cast) -> None:
    """4.2 to 4.5: probes at login, broadcasts of what is said, and of the end, with words or without."""
    romeo, juliet = await cast.online("romeo", host=MONTAGUE), await cast.online("juliet")
    await cast.friends(romeo, juliet)
    romeo.send_presence(pshow="away", pstatus="in the orchard")
    seen = await juliet.presence()
    assert (seen["from"], seen["show"], seen["status"]) == (romeo.boundjid, "away", "in the orchard")

    await romeo.leaves()
    assert (await juliet.presence())["type"] == "unavailable"

    again = await cast.online("romeo", "balcony", host=MONTAGUE)
    assert (await again.presence())["from"] == juliet.boundjid  # the answer to the server's probe
    assert (await juliet.presence())["from"] == again.boundjid

    again.abort()
    gone = await juliet.presence()
    assert (gone["type"], gone["from"]) == ("unavailable", again.boundjid)


async def test_an_end_of_friendship(cast: Cast) -> None:
    """3.2 and 3.3: whoever is cancelled sees the other leave, and is pushed what is left."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    await cast.friends(romeo, juliet)
    juliet.send_presence_subscription(romeo.boundjid.bare, ptype="unsubscribed")
    assert await juliet.push() == (romeo.boundjid.bare, "to", "")
    assert await romeo.push() == (juliet.boundjid.bare, "from", "")
    assert {(await romeo.presence())["type"] for _ in range(2)} == {"unsubscribed", "unavailable"}
    await juliet.receives_nothing()


async def test_directed_presence(cast: Cast) -> None:
    """4.6: shown to a stranger, and taken back when the session ends."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    romeo.send_presence(pto=juliet.boundjid, pstatus="only for thee")
    assert (await juliet.presence())["status"] == "only for thee"
    romeo.abort()
    assert (await juliet.presence())["type"] == "unavailable"


async def test_strangers_learn_nothing(cast: Cast) -> None:
    """4.3.2 and 8.5.1: probes and questions about somebody whom one may not see."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    romeo.send_presence(pto=juliet.boundjid.bare, ptype="probe")
    await romeo.barrier()
    assert {each["type"] for each in _waiting(romeo)} <= {"unsubscribed"}
    await juliet.receives_nothing()


def _waiting(client: Client) -> list[object]:
    found: list[object] = []
    while not client.presences.empty():
        found.append(client.presences.get_nowait())
    return found
