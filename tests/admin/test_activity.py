"""`session`: who is at it."""

import pytest

from tests.scenario.server import NOON
from xmppd.admin.activity import ACTIVE
from xmppd.core.commands import CommandError
from xmppd.core.results import moment
from xmppd.protocol.jid import Jid

from .office import Office

ROMEO, JULIET = Jid("romeo@montague.example"), Jid("juliet@capulet.example")


@pytest.fixture
def busy(office: Office) -> Office:
    """Romeo has two clients, one of which is busy; Juliet's has said nothing for a while."""
    romeo = office.server.connect(f"{ROMEO}/orchard")
    office.server.connect(f"{ROMEO}/street")
    office.server.connect(f"{JULIET}/balcony")
    office.server.advance(ACTIVE + 10)
    romeo.sends("<presence/>")
    return office


def test_lists(busy: Office) -> None:
    """Get List of Active Users, Get List of Idle Users: accounts, each once."""
    active = busy.run("session list-active")
    assert [row[0] for row in active.rows] == [ROMEO]
    assert active.form == {"account": "activeuserjids"}
    assert [list(row) for row in busy.run("session list-idle").rows] == [[JULIET, moment(NOON)]]
    assert busy.rows("session list-idle", host="montague.example") == []
    assert busy.rows("session list-idle", limit=0) == []
    with pytest.raises(CommandError, match="no host"):
        busy.run("session list-idle", host="verona.example")


def test_counts(busy: Office) -> None:
    """Get Number of Active Users, Get Number of Idle Users."""
    for words, name in (("session count-active", "activeusersnum"), ("session count-idle", "idleusersnum")):
        found = busy.run(words)
        assert (found.values, found.form) == ({"accounts": 1}, {"accounts": name})
    assert busy.values("session count-active", host="capulet.example") == {"accounts": 0}
