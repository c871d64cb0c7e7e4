"""`trace` and `log record`."""

import pytest

from xmppd.core.results import CommandError, Exit

from .conversation import BALCONY, JULIET, ORCHARD, ROMEO, says
from .office import Office


def test_trace(office: Office) -> None:
    """A row for each step: when, what, where, and the row of the log; what nobody noted has no time."""
    office.server.account(JULIET)
    says(office.server.online(ORCHARD), "Wherefore art thou?")
    rows = office.rows("trace", id="m0")
    assert [(row[1], row[2]) for row in rows] == [
        ("received", ORCHARD),
        ("committed", JULIET),
        ("committed", ROMEO),
        ("waiting", JULIET),
    ]
    assert rows[0][0] is None
    assert rows[1][0].startswith("2010-05-31T12:00:00")
    assert rows[0][3] is None
    assert rows[1][3].isdecimal()
    assert "Wherefore" not in str(rows)


def test_unknown_message(office: Office) -> None:
    """It may be older than was looked back."""
    office.server.account(JULIET)
    says(office.server.online(ORCHARD), "hark")
    office.server.advance(hours=2)
    with pytest.raises(CommandError, match="no message m0 was stored in the last 1h") as caught:
        office.run("trace", id="m0", since="1h")
    assert caught.value.code is Exit.UNKNOWN
    assert len(office.rows("trace", id="m0")) == 4


def test_record(office: Office) -> None:
    """Once it is on trace knows more, until it is off; on and on again is on."""
    server = office.server
    node = server.node
    server.online(BALCONY)
    romeo = server.online(ORCHARD)
    assert office.run("log record", state="on").text == "what happens to messages is recorded"
    office.run("log record", state="on")
    says(romeo, "hark")
    rows = office.rows("trace", id="m0")
    assert [row[1] for row in rows] == ["received", "committed", "committed", "handed over", "delivered"]
    assert all(row[0] for row in rows)
    assert office.run("log record", state="off").text == "what happens to messages is not recorded"
    office.run("log record", state="off")
    assert "handed over" not in [row[1] for row in office.rows("trace", id="m0")]
    assert node.hooks.tap is None
    assert "delivered" not in vars(node.router.inboxes)
    assert "acknowledged" not in vars(node.clients.management)


def test_record_leaves_watchers_alone(office: Office) -> None:
    """The tap of the hooks is shared with watch."""
    office.server.online(BALCONY)
    office.run("log record", state="on")
    tap = office.server.node.hooks.tap
    assert tap is not None
    office.run("log record", state="off")
    assert office.server.node.hooks.tap is None
