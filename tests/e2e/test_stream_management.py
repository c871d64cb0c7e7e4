"""XEP-0198 against the real server: a socket is cut, and nothing is lost; raw XML for what slixmpp never says."""

import asyncio
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from .cast import PASSWORD, Cast
from .client import Client
from .deployment import CAPULET
from .http import metric
from .raw import STREAM, Raw

NS = "urn:xmpp:sm:3"
SM = f"{{{NS}}}"
REQUEST = f"<r xmlns='{NS}'/>"


def heard(client: Client, event: str) -> "asyncio.Future[Any]":
    """Return what is done when slixmpp next tells of an event."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    client.add_event_handler(event, lambda data: future.done() or future.set_result(data), disposable=True)
    return future


async def managed(cast: Cast, name: str) -> Client:
    """Return an available session of slixmpp that can be resumed."""
    client = cast.client(f"{cast.account(name)}/orchard")
    client.register_plugin("xep_0198")
    enabled = heard(client, "sm_enabled")
    await client.logs_in(cast.deployment.place("starttls"))
    await enabled
    await client.comes_online()
    return client


async def is_cut(client: Client) -> None:
    """Break a client's connection without a word."""
    lost = heard(client, "disconnected")
    client.transport.abort()
    await lost


async def resumes(cast: Cast, client: Client) -> None:
    """Connect again, and go on with the same session."""
    resumed = heard(client, "session_resumed")
    client.connect(*cast.deployment.place("starttls"))
    await resumed


async def test_resumed_behind_a_cut_socket(cast: Cast) -> None:
    """What was sent while the client was away comes once and in order, and its contact has noticed nothing."""
    romeo, juliet = await managed(cast, "romeo"), await cast.online("juliet")
    await cast.friends(romeo, juliet)
    await is_cut(romeo)
    for number in range(30):
        juliet.send_message(romeo.boundjid, f"message {number}", mtype="chat")
    await juliet.receives_nothing()
    await resumes(cast, romeo)
    assert [(await romeo.message())["body"] for _ in range(30)] == [f"message {number}" for number in range(30)]
    romeo.send_message(juliet.boundjid, "I was there all along.", mtype="chat")
    assert (await juliet.message())["body"] == "I was there all along."
    await romeo.receives_nothing()
    await juliet.receives_nothing()


async def test_resumed_again_and_again(cast: Cast) -> None:
    """Counts go on through any number of connections, on both sides."""
    romeo, juliet = await managed(cast, "romeo"), await cast.online("juliet")
    for number in range(5):
        await is_cut(romeo)
        juliet.send_message(romeo.boundjid, f"to romeo {number}", mtype="chat")
        await juliet.barrier()
        await resumes(cast, romeo)
        assert (await romeo.message())["body"] == f"to romeo {number}"
        romeo.send_message(juliet.boundjid, f"to juliet {number}", mtype="chat")
        assert (await juliet.message())["body"] == f"to juliet {number}"


async def test_everything_is_acknowledged(cast: Cast) -> None:
    """The server acknowledges each message once it is stored."""
    romeo, juliet = await managed(cast, "romeo"), await cast.online("juliet")
    unacknowledged = romeo.plugin["xep_0198"].unacked_queue
    for number in range(23):
        romeo.send_message(juliet.boundjid, f"message {number}", mtype="chat")
    for number in range(23):
        assert (await juliet.message())["body"] == f"message {number}"
    while unacknowledged:
        acked = heard(romeo, "stanza_acked")
        romeo.plugin["xep_0198"].request_ack()
        await acked


async def enabled(raw: Raw, attributes: str = " resume='true'") -> ET.Element:
    """Enable it; return the answer."""
    await raw.sends(f"<enable xmlns='{NS}'{attributes}/>")
    answer = await raw.receives()
    assert answer.tag == f"{SM}enabled"
    return answer


async def claims(cast: Cast, name: str, id: str, h: int) -> Raw:
    """Return a new connection that has asked for a session."""
    raw = await cast.secured()
    localpart = cast.account(name).partition("@")[0]
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-1", localpart, PASSWORD) == "success"
    await raw.opens(CAPULET)
    await raw.sends(f"<resume xmlns='{NS}' previd='{id}' h='{h}'/>")
    return raw


@pytest.mark.parametrize("h", ["1", "4294967295"])
async def test_count_too_high(cast: Cast, h: str) -> None:
    """Error Handling: who acknowledges what was never sent is told so."""
    raw = await cast.session("tybalt")
    await enabled(raw)
    await raw.sends(f"<a xmlns='{NS}' h='{h}'/>")
    error = await raw.receives()
    assert error.tag == f"{STREAM}error"
    told = error.find(f"{SM}handled-count-too-high")
    assert told is not None
    assert told.attrib == {"h": h, "send-count": "0"}
    await raw.is_cut_off()


@pytest.mark.parametrize("h", ["", "h='-1'", "h='4294967296'", "h='x'"])
async def test_no_count(cast: Cast, h: str) -> None:
    """A count is a number below 2^32."""
    raw = await cast.session("tybalt")
    await enabled(raw)
    await raw.sends(f"<a xmlns='{NS}' {h}/>")
    assert await raw.receives_stream_error() == "invalid-xml"


async def test_old_connection_still_open(cast: Cast) -> None:
    """Resumption: the connection that the server took for alive ends with a conflict."""
    old = await cast.session("tybalt")
    id = (await enabled(old)).attrib["id"]
    new = await claims(cast, "tybalt", id, 0)
    assert await old.receives_stream_error() == "conflict"
    assert (await new.receives()).attrib == {"previd": id, "h": "0"}
    await new.pings(CAPULET)


async def test_another_accounts_session(cast: Cast) -> None:
    """An id is of no use to others, and its owner resumes all the same."""
    tybalt = await cast.session("tybalt")
    id = (await enabled(tybalt)).attrib["id"]
    await tybalt.closes()
    failed = await (await claims(cast, "mercutio", id, 0)).receives()
    assert (failed.tag, failed.attrib) == (f"{SM}failed", {})
    assert (await (await claims(cast, "tybalt", id, 0)).receives()).tag == f"{SM}resumed"


async def test_too_much_unacknowledged(cast: Cast) -> None:
    """A quota for everything: a client that acknowledges nothing ends, and its messages wait for its next session."""
    tybalt = await cast.session("tybalt")
    await enabled(tybalt, "")
    await tybalt.sends("<presence/>")
    await tybalt.pings(CAPULET)
    romeo = await cast.online("romeo")
    for number in range(5001):
        romeo.send_message(cast.account("tybalt"), str(number), mtype="chat")
        if number % 500 == 0:
            await romeo.barrier()
    while (element := await tybalt.receives()).tag != f"{STREAM}error":
        pass
    assert element[0].tag.endswith("}resource-constraint")
    await romeo.receives_nothing()


async def test_sessions_do_not_survive_a_restart(own_cast: Cast) -> None:
    """After a restart the answer is that there is no such session, without a count."""
    tybalt = await own_cast.session("tybalt")
    id = (await enabled(tybalt)).attrib["id"]
    (node,) = own_cast.deployment.nodes
    await asyncio.to_thread(node.running.kill)
    await asyncio.to_thread(own_cast.deployment.start)
    again = await claims(own_cast, "tybalt", id, 0)
    failed = await again.receives()
    assert (failed.tag, failed.attrib) == (f"{SM}failed", {})
    assert failed[0].tag.endswith("}item-not-found")


async def test_crash_leaves_no_ghosts(own_cast: Cast) -> None:
    """RFC 6121, 4.5.3: the sessions that a killed server has left end when it is started again."""
    romeo = await own_cast.online("romeo")
    juliet = await own_cast.online("juliet")
    await own_cast.friends(romeo, juliet)
    (node,) = own_cast.deployment.nodes
    while await metric(node.place("http"), "xmppd_session_rows_written_total") < 2:
        pass
    await asyncio.to_thread(node.running.kill)
    await asyncio.to_thread(own_cast.deployment.start)
    await asyncio.to_thread(node.logs, "2 sessions that a crash had left behind are ended")
