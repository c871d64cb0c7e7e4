"""One connection of the administration socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from xmppd.admin import socket as admin_socket
from xmppd.admin.connection import MOST_REQUESTS
from xmppd.admin.wire import LONGEST_REQUEST
from xmppd.core.administration import Administration, Authority
from xmppd.core.commands import CommandError, Done, Exit, Fields, Registry, Row, Secret, command

from .callers import Caller, listening, run


@dataclass
class Noun:
    """Commands that wait until the test lets them go on."""

    released: Deferred[None] = field(default_factory=Deferred)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    yielded: int = 0

    @command("echo")
    async def echo(self, text: str) -> Fields:
        """Say the same."""
        return Fields({"text": text})

    @command("wait")
    async def wait(self) -> Done:
        """Wait."""
        try:
            await self.released
        finally:
            self.ended.set()
        return Done("released")

    @command("fail")
    async def fail(self) -> None:
        """Raise what a command says."""
        raise CommandError("it is broken", "mend it", Exit.UNKNOWN)

    @command("crash")
    async def crash(self, password: Secret) -> None:
        """Raise what nobody expects."""
        raise ZeroDivisionError

    @command("mumble")
    async def mumble(self) -> Fields:
        """Say what cannot be written."""
        return Fields({"text": "\ud800"})

    @command("count")
    async def count(self, to: int, size: int = 1) -> AsyncIterator[Row]:
        """Count."""
        try:
            for number in range(to):
                self.yielded = number + 1
                yield {"number": number, "padding": "x" * size}
            await self.released
        finally:
            self.ended.set()


@dataclass
class Line:
    """A connection to a socket with such commands."""

    noun: Noun
    caller: Caller
    path: Path


def on_line(tmp_path: Path, work: Any) -> None:
    """Run `work(line)` with a socket."""

    async def all() -> None:
        noun = Noun()
        registry = Registry()
        registry.register("tests", noun)
        async with listening(tmp_path / "socket", Administration(registry, Authority())):
            caller = await Caller.connect(tmp_path / "socket")
            await work(Line(noun, caller, tmp_path / "socket"))
            caller.hangs_up()

    run(all())


def test_result_and_error(tmp_path: Path) -> None:
    """A command is answered by its result, or by its error."""

    async def work(line: Line) -> None:
        answer = await line.caller.asks(id=1, command=["echo"], arguments={"text": "a\nb ü"})
        assert answer["result"]["values"] == {"text": "a\nb ü"}
        answer = await line.caller.asks(id=2, command=["fail"])
        assert answer == {"id": 2, "error": {"text": "it is broken", "remedy": "mend it", "code": 4}}

    on_line(tmp_path, work)


def test_description(tmp_path: Path) -> None:
    """The commands can be asked for."""

    async def work(line: Line) -> None:
        described = (await line.caller.asks(id=1, describe=True))["commands"]
        assert [found["words"] for found in described] == [
            ["count"],
            ["crash"],
            ["echo"],
            ["fail"],
            ["mumble"],
            ["wait"],
        ]

    on_line(tmp_path, work)


@pytest.mark.parametrize("given", [b"hello\n", b'{"id": 1, "shout": true}\n', b"\n", b"\xff\xfe\n"])
def test_no_request(tmp_path: Path, given: bytes) -> None:
    """What is no request is answered as wrong usage, and the connection goes on."""

    async def work(line: Line) -> None:
        line.caller.sends_bytes(given)
        answer = await line.caller.receives()
        assert (answer["id"], answer["error"]["code"]) == (0, Exit.USAGE)
        assert "result" in await line.caller.asks(id=1, command=["echo"], arguments={"text": ""})

    on_line(tmp_path, work)


def test_wrong_usage(tmp_path: Path) -> None:
    """Unknown commands and arguments are the caller's mistake."""

    async def work(line: Line) -> None:
        for request in ({"command": ["ecko"]}, {"command": []}, {"command": ["echo"], "arguments": {"loud": True}}):
            answer = await line.caller.asks(id=1, **request)
            assert answer["error"]["code"] == Exit.USAGE

    on_line(tmp_path, work)


def test_lines_in_pieces(tmp_path: Path) -> None:
    """Requests may come in any pieces, several at once too."""
    data = b"".join(
        json.dumps({"id": number, "command": ["echo"], "arguments": {"text": "x"}}).encode() + b"\n"
        for number in (1, 2)
    )

    async def work(line: Line) -> None:
        for position in range(len(data)):
            line.caller.sends_bytes(data[position : position + 1])
            await asyncio.sleep(0)  # let the loop turn, so that pieces are pieces
        line.caller.sends_bytes(data)
        assert [(await line.caller.receives())["id"] for _ in range(4)] == [1, 2, 1, 2]

    on_line(tmp_path, work)


def test_requests_run_side_by_side(tmp_path: Path) -> None:
    """One that waits does not hold up the next."""

    async def work(line: Line) -> None:
        line.caller.sends(id=1, command=["wait"])
        assert (await line.caller.asks(id=2, command=["echo"], arguments={"text": ""}))["id"] == 2
        line.noun.released.callback(None)
        assert await line.caller.receives() == {"id": 1, "result": {"kind": "done", "text": "released"}}

    on_line(tmp_path, work)


def test_ids_are_unique(tmp_path: Path) -> None:
    """A request with the id of one that is under way is refused."""

    async def work(line: Line) -> None:
        line.caller.sends(id=1, command=["wait"])
        answer = await line.caller.asks(id=1, command=["echo"], arguments={"text": ""})
        assert answer["error"]["text"] == "request 1 is under way"

    on_line(tmp_path, work)


def test_number_of_requests_is_bounded(tmp_path: Path) -> None:
    """Too many requests at once are refused."""

    async def work(line: Line) -> None:
        for number in range(MOST_REQUESTS):
            line.caller.sends(id=number + 1, command=["wait"])
        answer = await line.caller.asks(id=99, command=["echo"], arguments={"text": ""})
        assert "may be under way" in answer["error"]["text"]

    on_line(tmp_path, work)


def test_endless_line(tmp_path: Path) -> None:
    """A line without end is cut off."""

    async def work(line: Line) -> None:
        line.caller.sends_bytes(b"x" * (LONGEST_REQUEST + 1))
        assert "at most" in (await line.caller.receives())["error"]["text"]
        assert await line.caller.is_closed()

    on_line(tmp_path, work)


def test_rows_and_their_end(tmp_path: Path) -> None:
    """A command that streams sends rows, and at its end a result."""

    async def work(line: Line) -> None:
        line.noun.released.callback(None)
        line.caller.sends(id=1, command=["count"], arguments={"to": 2})
        assert [await line.caller.receives() for _ in range(3)] == [
            {"id": 1, "row": {"number": 0, "padding": "x"}},
            {"id": 1, "row": {"number": 1, "padding": "x"}},
            {"id": 1, "result": {"kind": "done", "text": ""}},
        ]

    on_line(tmp_path, work)


def test_cancel(tmp_path: Path) -> None:
    """A request can be cancelled; cancelling one that is not under way changes nothing."""

    async def work(line: Line) -> None:
        line.caller.sends(id=1, command=["count"], arguments={"to": 1})
        assert "row" in await line.caller.receives()
        line.caller.sends(id=7, cancel=True)
        assert await line.caller.asks(id=1, cancel=True) == {"id": 1, "result": {"kind": "done", "text": ""}}
        assert line.noun.ended.is_set()

    on_line(tmp_path, work)


def test_hanging_up_ends_everything(tmp_path: Path) -> None:
    """When the caller goes, what it has asked for ends."""

    async def work(line: Line) -> None:
        line.caller.sends(id=1, command=["count"], arguments={"to": 1})
        await line.caller.receives()
        line.caller.hangs_up()
        await line.noun.ended.wait()

    on_line(tmp_path, work)


def test_rows_wait_for_a_slow_reader(tmp_path: Path) -> None:
    """A caller that does not read makes its command wait, and all rows come in order once it reads."""
    many, size = 400, 10_000

    async def work(line: Line) -> None:
        line.noun.released.callback(None)
        line.caller.reader._transport.pause_reading()  # type: ignore[attr-defined]
        other = await Caller.connect(line.path)
        line.caller.sends(id=1, command=["count"], arguments={"to": many, "size": size})
        before = -1
        while line.noun.yielded != before:  # two answers without progress between: the command waits
            before = line.noun.yielded
            await other.asks(id=1, command=["echo"], arguments={"text": ""})
        other.hangs_up()
        assert 0 < line.noun.yielded < many
        line.caller.reader._transport.resume_reading()  # type: ignore[attr-defined]
        rows = [await line.caller.receives() for _ in range(many)]
        assert [row["row"]["number"] for row in rows] == list(range(many))
        assert "result" in await line.caller.receives()

    on_line(tmp_path, work)


def test_a_fault_of_ours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expects is answered without details; the connection goes on."""

    async def work(line: Line) -> None:
        answer = await line.caller.asks(id=1, command=["crash"], arguments={"password": "pencil"})
        assert answer["error"]["code"] == Exit.INTERNAL
        assert "ZeroDivisionError" not in json.dumps(answer)
        assert "result" in await line.caller.asks(id=1, command=["echo"], arguments={"text": ""})

    on_line(tmp_path, work)


def test_an_answer_that_cannot_be_written(tmp_path: Path) -> None:
    """It is a fault of ours like any other: nobody waits for ever."""

    async def work(line: Line) -> None:
        answer = await line.caller.asks(id=1, command=["mumble"])
        assert answer["error"]["code"] == Exit.INTERNAL

    on_line(tmp_path, work)


def test_strangers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of another user is told so, and nothing that it sends is looked at."""
    monkeypatch.setattr(admin_socket, "is_own", lambda peer: False)

    async def work(line: Line) -> None:
        line.caller.sends(id=1, command=["echo"], arguments={"text": ""})
        answer = await line.caller.receives()
        assert (answer["id"], answer["error"]["code"]) == (0, Exit.REFUSED)
        assert await line.caller.is_closed()

    on_line(tmp_path, work)
