"""RFC 6121, 5 and 8: messages between people, and between their resources."""

from .cast import Cast
from .deployment import MONTAGUE


async def test_two_people_chat(cast: Cast) -> None:
    """5.2: both ways, from full JID to bare JID and to full JID, across hosts of one server."""
    romeo, juliet = await cast.online("romeo", host=MONTAGUE), await cast.online("juliet")
    romeo.send_message(juliet.boundjid.bare, "What light through yonder window breaks?", mtype="chat")
    first = await juliet.message()
    assert (first["body"], first["from"], first["type"]) == (
        "What light through yonder window breaks?", romeo.boundjid, "chat",
    )  # fmt: skip
    juliet.send_message(first["from"], "How camest thou hither?", mtype="chat")
    answer = await romeo.message()
    assert (answer["body"], answer["from"], answer["to"]) == (
        "How camest thou hither?", juliet.boundjid, romeo.boundjid,
    )  # fmt: skip


async def test_messages_keep_their_order(cast: Cast) -> None:
    """RFC 6120, 10.1: between two entities in the order in which they were sent."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    for number in range(200):
        romeo.send_message(juliet.boundjid.bare, str(number), mtype="chat")
    assert [(await juliet.message())["body"] for _ in range(200)] == [str(number) for number in range(200)]


async def test_what_is_written_arrives_as_it_was(cast: Cast) -> None:
    """RFC 6120, 11: markup, quotes, line ends, and characters of every plane."""
    body = "<b>\"but soft\"</b> & 'what light'\n\t\u2603 \U0001f339 e\u0301 ]]>"
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    romeo.send_message(juliet.boundjid, body, mtype="chat")
    assert (await juliet.message())["body"] == body


async def test_every_resource_gets_what_is_sent_to_the_account(cast: Cast) -> None:
    """8.5.2.1.1: all available resources, unless their priority is negative; a full JID names one."""
    romeo = await cast.online("romeo")
    balcony = await cast.online("juliet", "balcony", priority=1)
    chamber = await cast.online("juliet", "chamber", priority=5)
    garden = await cast.online("juliet", "garden", priority=-1)
    for client in (balcony, chamber, garden):
        await client.barrier()
        client.forgets()
    romeo.send_message(balcony.boundjid.bare, "to all", mtype="chat")
    romeo.send_message(balcony.boundjid, "to the balcony", mtype="chat")
    romeo.send_message(garden.boundjid, "to the garden", mtype="chat")
    await romeo.barrier()
    assert [(await balcony.message())["body"] for _ in range(2)] == ["to all", "to the balcony"]
    assert (await chamber.message())["body"] == "to all"
    assert (await garden.message())["body"] == "to the garden"
    for client in (balcony, chamber, garden):
        await client.receives_nothing()


async def test_nobody_is_there(cast: Cast) -> None:
    """8.5.1: to somebody who does not exist nothing can be said, and the sender learns that."""
    romeo, stranger = await cast.online("romeo"), cast.stranger("mercutio")
    romeo.send_message(stranger, "Art thou there?", mtype="chat")
    answer = await romeo.message()
    assert (answer["type"], answer["error"]["condition"]) == ("error", "service-unavailable")
    assert answer["from"] == stranger


async def test_somebody_is_away(cast: Cast) -> None:
    """8.5.2.2: what is for the account or for a resource that is not there waits; nobody hears of an error."""
    romeo = await cast.online("romeo")
    for address in (cast.account("juliet"), f"{cast.account('juliet')}/balcony"):
        romeo.send_message(address, f"To {address}", mtype="chat")
    await romeo.receives_nothing()
    juliet = await cast.online("juliet")
    assert [(await juliet.message())["body"].startswith("To juliet") for _ in range(2)] == [True, True]


async def test_only_a_negative_priority_is_as_if_nobody_were_there(cast: Cast) -> None:
    """8.5.2.1.1: such a resource wants only what names it; the rest waits until there is another."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet", priority=-1)
    romeo.send_message(juliet.boundjid.bare, "Art thou there?", mtype="chat")
    await romeo.receives_nothing()
    await juliet.receives_nothing()
    other = await cast.online("juliet")
    assert (await other.message())["body"] == "Art thou there?"


async def test_nobody_speaks_in_the_name_of_others(cast: Cast) -> None:
    """RFC 6120, 8.1.2.1: a `from` that is not one's own ends the stream."""
    romeo, juliet = await cast.session("romeo"), await cast.online("juliet")
    await romeo.sends(f"<message from='nurse@capulet.example' to='{juliet.boundjid}'><body>Madam!</body></message>")
    assert await romeo.receives_stream_error() == "invalid-from"
    await juliet.receives_nothing()


async def test_other_servers_are_not_reached(cast: Cast) -> None:
    """RFC 6120, 10.4: this version is not federated, and says so."""
    romeo = await cast.online("romeo")
    romeo.send_message("escalus@verona.example", "Hear me", mtype="chat")
    assert (await romeo.message())["error"]["condition"] == "remote-server-not-found"
