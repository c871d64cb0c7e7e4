"""An archive, page by page."""

from dataclasses import replace
from typing import Any

import pytest

from bench.dialogue import NegotiationError, Script
from bench.scenarios.mam import fill, mam
from bench.scenarios.messages import Flow

from .stage import JOB, Stage, Wire

TOLD = replace(JOB, messages=120, page=50, seconds=0.0)
RESULT = b"<message><result xmlns='urn:xmpp:mam:2'><forwarded/></result></message>"


class Archive(Stage):
    """A server that delivers, archives, and shows its archive."""

    def __init__(self, shown: int = 120, error: bool = False) -> None:
        super().__init__()
        self.shown = shown
        self.error = error
        self.asked: list[bytes] = []
        self.deliver = self.pass_on

    def pass_on(self) -> None:
        sent, self.wires[0].sent = self.wires[0].sent, b""
        if sent and self.wires[1].receive is not None:
            self.wires[1].receive(sent)

    def converse(self, connection: Wire, script: Script) -> None:
        self.said.append("converse")
        pattern = next(script)
        try:
            while True:
                query, connection.sent = connection.sent, b""
                found = pattern.search(self.answer(query))  # type: ignore[union-attr]
                assert found is not None
                pattern = script.send(found)
        except StopIteration:
            pass

    def answer(self, query: bytes) -> bytes:
        """Answer one query, as XEP-0313's example of a limited query."""
        self.asked.append(query)
        ident = query.split(b"id='")[1].split(b"'")[0]
        if self.error:
            return b"<iq type='error' id='%s'><error/></iq>" % ident
        start = int(query.split(b"<after>")[1].split(b"<")[0]) if b"<after>" in query else 0
        end = min(start + 50, self.shown)
        return RESULT * (
            end - start
        ) + b"<iq type='result' id='%s'><fin xmlns='urn:xmpp:mam:2'%s><set><last>%d</last></set></fin></iq>" % (
            ident,
            b" complete='true'" if end == self.shown else b"",
            end,
        )


def test_every_message_is_shown_once() -> None:
    """Two pages warm up; then every page from the first to the one that says that it is the last."""
    stage: Any = Archive()
    figures = mam(stage, TOLD)
    assert (figures["unit"], figures["units"], figures["lost"]) == ("result", 120, 0)
    assert figures["cpu_us"] == 1e6 / 120
    assert figures["fill_us"] == 1e6 / 120
    assert len(stage.asked) == 2 + 3
    assert [b"<after>" in query for query in stage.asked] == [False, True, False, True, True]
    assert stage.said[-2:] == ["unharmed", "dismiss 2"]


def test_an_archive_that_lacks_some() -> None:
    """They are lost."""
    stage: Any = Archive(shown=119)
    assert mam(stage, TOLD)["lost"] == 1


def test_an_archive_that_is_not_shown() -> None:
    """An error is told; an empty archive has no figure."""
    stage: Any = Archive(error=True)
    with pytest.raises(NegotiationError, match="the archive was not shown"):
        mam(stage, TOLD)
    stage = Archive(shown=0)
    with pytest.raises(NegotiationError, match="the archive is empty"):
        mam(stage, TOLD)


def test_a_server_that_stops_delivering() -> None:
    """The archive cannot be filled."""
    stage: Any = Stage()
    flow = Flow(Wire(), b"juliet@localhost", Wire())  # type: ignore[arg-type]
    with pytest.raises(NegotiationError, match="0 of 50 messages arrived"):
        fill(stage, TOLD, flow)
