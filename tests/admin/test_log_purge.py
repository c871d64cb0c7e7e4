"""Removing messages step by step."""

import pytest

from xmppd.admin import log_purge
from xmppd.admin.log_purge import Purge
from xmppd.storage.message_log.survey import SqlLogSurvey

from .conversation import BALCONY, JULIET, ORCHARD, ROMEO, gathered, says
from .office import Office


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_purge, "STEP", 2)


def purge_of(office: Office, limit: float | None = None) -> Purge:
    node = office.server.node
    survey = SqlLogSurvey(office.server.log)  # type: ignore[arg-type]  # it stands for one
    return Purge(node.log, survey, node.router.inboxes, limit)


def test_steps_of_an_account(office: Office) -> None:
    """One word for each step, that says how much is done of how much there was."""
    office.server.account(JULIET)
    says(office.server.online(ORCHARD), *"abcde")
    rows = office.server.wait(gathered(purge_of(office).account(JULIET)))
    assert [(row["progress"], row["of"]) for row in rows[:-1]] == [(2, 5), (4, 5), (5, 5)]
    assert rows[-1]["removed"] == 5


def test_steps_of_a_host(office: Office) -> None:
    """For a host it is accounts that are counted."""
    for name in ("juliet", "nurse"):
        office.server.account(f"{name}@capulet.example")
    romeo = office.server.online(ORCHARD)
    says(romeo, *"abc")
    says(romeo, "d", to="nurse@capulet.example", id="n")
    rows = office.server.wait(gathered(purge_of(office).host("capulet.example")))
    assert rows[-2] == {"progress": 2, "of": 2}
    assert rows[-1] == {"sentence": "4 messages of 2 accounts of capulet.example removed", "removed": 4}


def test_nothing_to_remove(office: Office) -> None:
    """That is no error."""
    rows = office.server.wait(gathered(purge_of(office).account(ROMEO)))
    assert rows[-1] == {"sentence": "0 messages of romeo@montague.example removed", "removed": 0}


def test_readers_forget_what_is_gone(office: Office) -> None:
    """What a session had yet to acknowledge is not waited for any more."""
    server = office.server
    juliet = server.online(BALCONY)
    juliet.sends("<enable xmlns='urn:xmpp:sm:3'/>")
    juliet.forgets()
    says(server.online(ORCHARD), *"abc")
    assert server.node.router.inboxes.waiting() == 3
    server.wait(gathered(purge_of(office).account(JULIET)))
    assert server.node.router.inboxes.waiting() == 0
    assert server.wait(server.node.log.count_waiting(JULIET)) == 0


def test_one_message_has_no_plural(office: Office) -> None:
    """Sentences are sentences."""
    office.server.account(JULIET)
    says(office.server.online(ORCHARD), "hark")
    rows = office.server.wait(gathered(purge_of(office, office.server.clock.seconds() + 1).account(JULIET)))
    assert rows[-1]["sentence"] == "1 message of juliet@capulet.example removed"
