"""The log of messages, as its administrator sees it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from slixmpp.exceptions import IqError

from .cast import Cast
from .client import Client
from .http import metric

LINES = [f"line {number}" for number in range(20)]


def command(cast: Cast, *words: str) -> list[str]:
    """Return the command line of `xmppctl` for the server."""
    return [sys.executable, "-m", "xmppd.cli.main", "--config", str(cast.deployment.nodes[0].file), *words]


def xmppctl(cast: Cast, *words: str) -> str:
    """Run a command line; return its output."""
    return subprocess.run(command(cast, *words), capture_output=True, text=True, check=True).stdout


async def talk(cast: Cast) -> tuple[Client, Client]:
    """Let Romeo say all the lines to Juliet, who hears them."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet", "balcony")
    for line in LINES:
        romeo.send_message(juliet.boundjid.bare, line, mtype="chat")
    for _ in LINES:
        await juliet.message()
    return romeo, juliet


async def test_stats_and_metrics(cast: Cast) -> None:
    """What is kept of one account, what the shards have, and the same for those who watch over servers."""
    place = cast.deployment.place("http")
    others = await metric(place, "xmppd_inbox_waiting")  # people of other tests, who may have left something unread
    _, juliet = await talk(cast)
    found = json.loads(xmppctl(cast, "--json", "log", "stats", "--account", juliet.boundjid.bare))
    assert (found["messages"], found["waiting"]) == (len(LINES), 0)
    [shard] = json.loads(xmppctl(cast, "--json", "log", "stats"))
    assert shard["rows"] >= 2 * len(LINES)
    assert [row["shard"] for row in json.loads(xmppctl(cast, "--json", "log", "writers"))] == [0, "all"]
    assert await metric(place, "xmppd_log_appended_total") >= 2 * len(LINES)
    assert await metric(place, "xmppd_log_commits_total") >= 1
    assert await metric(place, "xmppd_log_queued") == 0
    assert await metric(place, "xmppd_inbox_waiting") <= others


async def test_offline_messages(cast: Cast) -> None:
    """Who has messages waiting, and how many."""
    romeo = await cast.online("romeo")
    nurse = cast.account("nurse")
    romeo.send_message(nurse, "Go, counsellor", mtype="chat")
    with pytest.raises(IqError):  # RFC 6120, 10.1: it is answered behind the message
        await romeo.make_iq_get(queryxmlns="jabber:iq:last", ito=nurse).send()
    found = cast.deployment.admin("offline", "count", account=nurse)
    assert found["rows"] == [[nurse, 1]]


async def test_trace(cast: Cast) -> None:
    """What became of one message, from its sender's session to its recipient's."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet", "balcony")
    cast.deployment.admin("log", "record", state="on")
    try:
        message = romeo.make_message(juliet.boundjid.bare, "hark", mtype="chat")
        message.send()
        await juliet.message()
        await romeo.barrier()
        rows = cast.deployment.admin("trace", id=message["id"])["rows"]
    finally:
        cast.deployment.admin("log", "record", state="off")
    assert [(row[1], row[2]) for row in rows][:4] == [
        ("received", romeo.boundjid.full),
        ("committed", juliet.boundjid.bare),
        ("committed", romeo.boundjid.bare),
        ("handed over", juliet.boundjid.full),
    ]
    assert rows[-1][1:3] == ["delivered", juliet.boundjid.bare]


async def test_tail(cast: Cast) -> None:
    """Messages are shown as they are stored, and never what they say."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet", "balcony")
    account = juliet.boundjid.bare
    words = command(cast, "--json", "log", "tail", "--jid", account, "--direction", "received", "--count", "1")
    tail = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    ended = asyncio.ensure_future(tail.communicate())
    while not ended.done():  # it may not look yet
        romeo.send_message(account, "a secret", mtype="chat")
        await juliet.message()
    shown = (await ended)[0].decode()
    row = json.loads(shown)
    assert (row["owner"], row["peer"], row["direction"]) == (account, romeo.boundjid.full, "received")
    assert "secret" not in shown


async def test_export_and_purge(cast: Cast, tmp_path: Path) -> None:
    """An archive is written to a file of one's own; then it is removed, and that of the other side is not."""
    romeo, juliet = await talk(cast)
    file = tmp_path / "juliet.xml"
    assert xmppctl(cast, "log", "export", juliet.boundjid.bare, str(file)).startswith(f"{len(LINES)} messages")
    assert file.stat().st_mode & 0o777 == 0o600
    bodies = [body.text for body in ET.parse(file).iter("{jabber:client}body")]
    assert bodies == LINES
    told = xmppctl(cast, "log", "purge", "--account", juliet.boundjid.bare, "--yes")
    assert told == f"{len(LINES)} messages of {juliet.boundjid.bare} removed\n"
    for client, left in ((juliet, 0), (romeo, len(LINES))):
        found = cast.deployment.admin("log", "stats", account=client.boundjid.bare)
        assert found["values"]["messages"] == left
