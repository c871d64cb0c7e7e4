"""Whoever takes too much is stopped, and nobody else notices."""

import asyncio

from .cast import Cast
from .deployment import CAPULET, PER_ADDRESS
from .http import metric
from .raw import Ended, Raw

CROWD = "127.0.0.7"
"""An address of the loopback that is not that of the other tests."""

WORDS = "wherefore " * 6000
MESSAGES = 1200


async def test_a_client_that_does_not_read(cast: Cast) -> None:
    """RFC 6120, 4.9.3.17: what waits for it is bounded; then it is closed, and the rest waits for it in the log."""
    http = cast.deployment.place("http")
    nurse, romeo = await cast.online("nurse"), await cast.session("romeo")
    deaf = await cast.session("juliet", buffer=4096)
    await deaf.sends("<presence/>")
    await deaf.pings(CAPULET)
    memory = await metric(http, "process_resident_memory_bytes")

    to = cast.account("juliet")
    for number in range(MESSAGES):
        await romeo.sends(f"<message id='{number}' to='{to}' type='chat'><body>{WORDS}</body></message>")
    await nurse.barrier()  # others are served meanwhile
    await romeo.pings(CAPULET)

    assert await deaf.receives_stream_error() == "resource-constraint"
    grown = await metric(http, "process_resident_memory_bytes") - memory
    assert grown < MESSAGES * len(WORDS) * 2 / 3, "what was not read was kept"  # the database keeps pages, too
    assert await metric(http, "xmppd_clients_overflows_total") >= 1
    back = await cast.session("juliet")
    await back.sends("<presence/>")
    ids = await numbers_up_to(back, MESSAGES - 1)
    assert ids == list(range(ids[0], MESSAGES)), "something is missing, or came twice"


async def numbers_up_to(receiver: Raw, last: int) -> list[int]:
    """Read up to the message with the last number; return all their numbers."""
    ids: list[int] = []
    while last not in ids:
        element = await receiver.receives()
        if element.tag == "{jabber:client}message":
            ids.append(int(element.get("id") or ""))
    return ids


async def test_more_connections_than_one_address_may_hold(cast: Cast) -> None:
    """`limits.connections_per_address`: those beyond it are closed unread; others come in as before."""
    crowd = [await cast.raw(source=CROWD) for _ in range(PER_ADDRESS)]
    for raw in crowd:
        await raw.opens(CAPULET)
    beyond = [await cast.raw(source=CROWD) for _ in range(10)]
    for raw in beyond:
        assert await raw.is_cut_off() == b""
    romeo = await cast.online("romeo")
    await romeo.barrier()
    assert await metric(cast.deployment.place("http"), "xmppd_transport_refused_total") >= 10

    for raw in crowd:
        await raw.closes()
    await comes_in(cast)


async def comes_in(cast: Cast) -> None:
    """Connect until the server has seen that there is room again."""
    while True:
        raw = await cast.raw(source=CROWD)
        try:
            await raw.opens(CAPULET)
        except (Ended, ConnectionError):
            continue
        return


async def test_a_flood_of_stanzas_delays_nobody_for_ever(cast: Cast) -> None:
    """`limits.stanzas_per_turn`: one connection's pipelined stanzas take turns with everybody else's."""
    flood, nurse = await cast.session("tybalt"), await cast.online("nurse")
    ping = f"<iq id='x' type='get' to='{CAPULET}'><ping xmlns='urn:xmpp:ping'/></iq>"
    reading = asyncio.create_task(count(flood, 5000))
    await flood.sends(ping * 2500)
    await nurse.barrier()
    await flood.sends(ping * 2500)
    await nurse.barrier()
    assert await reading == 5000


async def count(raw: Raw, expected: int) -> int:
    """Read as many results as are expected, and count them."""
    found = 0
    while found < expected:
        found += (await raw.receives()).get("type") == "result"
    return found
