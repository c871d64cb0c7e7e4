"""`hooks`: the pipeline, printed."""

import pytest

from xmppd.admin.hooks import kind
from xmppd.core.commands import CommandError, Exit
from xmppd.core.events import DiscoInfo, InboundMessage, SessionEnded
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.core.iq import Target

from .office import Office


class Guard:
    @on(InboundMessage, Phase.GUARD)
    async def refuse(self, event: InboundMessage) -> Verdict | None:
        return None

    @on(InboundMessage, Phase.COPY)
    async def copy(self, event: InboundMessage) -> Verdict | None:
        return None


def test_handlers_in_order(office: Office) -> None:
    """Handlers are shown in the order in which they run, with event, kind and phase."""
    office.server.node.hooks.bind("tests", Guard())
    rows = [row for row in office.rows("hooks") if row[4].startswith("tests.")]
    assert rows == [
        ["InboundMessage", "decision", "GUARD", None, "tests.refuse"],
        ["InboundMessage", "decision", "COPY", None, "tests.copy"],
    ]


def test_one_event(office: Office) -> None:
    """An event can be picked by its name, in any case."""
    office.server.node.hooks.bind("tests", Guard())
    assert {row[0] for row in office.rows("hooks", event="inboundmessage")} == {"InboundMessage"}
    with pytest.raises(CommandError) as caught:
        office.run("hooks", event="InboundGossip")
    assert caught.value.code is Exit.UNKNOWN


def test_answerers(office: Office) -> None:
    """Who answers which request, by type, payload and target."""
    rows = office.rows("hooks", event="iq")
    assert ["get {urn:xmpp:ping}ping", "iq", None, Target.HOST, "ping"] in rows
    assert {row[1] for row in rows} == {"iq"}
    assert [row[4] for row in office.rows("hooks", event="URN:xmpp:ping")] == ["ping", "ping"]
    assert {"iq", "decision"} <= {row[1] for row in office.rows("hooks")}


def test_kinds() -> None:
    """The three kinds of event are told apart."""
    assert [kind(event) for event in (InboundMessage, DiscoInfo, SessionEnded)] == ["decision", "collection", "notice"]
