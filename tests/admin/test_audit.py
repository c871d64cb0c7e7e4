"""Commands in the log."""

from typing import Any

import pytest

from xmppd.admin import audit
from xmppd.core.administration import Administration, Authority
from xmppd.core.commands import Caller, Kind, Origin, Secret
from xmppd.core.log import Log
from xmppd.protocol.jid import Jid

from .office import SOCKET, Office


def test_who_ran_what(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is a line with its caller and its arguments, without secrets."""
    events: list[Any] = []
    monkeypatch.setattr(audit, "log", Log("admin.audit", events.append))
    office.administration = Administration(office.registry, Authority(), audit.audit)
    office.run("account add", jid="romeo@montague.example", password="pencil")
    (event,) = events
    assert event["caller"] == "socket"
    assert event["command"] == "account add"
    assert event["given"] == ("jid=Jid('romeo@montague.example'), password=Secret('***'), role=<Role.USER: 'user'>")


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.DOCUMENT, "Fly, Romeo!", "<11 characters>"),
        (Kind.TEXT, "verona", "'verona'"),
        (Kind.TEXT, "x" * 41, f"'{'x' * 40}'... <41 characters>"),
        (Kind.TEXT, ["a", "x" * 41], f"['a', '{'x' * 40}'... <41 characters>]"),
        (Kind.JID, Jid(f"{'x' * 60}@b.example"), f"Jid('{'x' * 60}@b.example')"),
        (Kind.SECRET, Secret("pencil"), "Secret('***')"),
        (Kind.INTEGER, 7, "7"),
        (Kind.TEXT, None, "None"),
    ],
)
def test_what_people_write_is_not_kept(kind: Kind, value: object, shown: str) -> None:
    """Documents by their length, long texts by their beginning, the rest as it is."""
    assert audit.shown(kind, value) == shown


def test_callers_have_names() -> None:
    """An ad-hoc caller is named by its address, any other by its origin."""
    assert str(SOCKET) == "socket"
    assert str(Caller(Origin.ADHOC, Jid("romeo@montague.example"))) == "romeo@montague.example (ad-hoc)"
