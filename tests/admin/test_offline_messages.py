"""`offline count`."""

import pytest

from xmppd.core.results import CommandError

from .conversation import BALCONY, JULIET, ORCHARD, ROMEO, says
from .office import Office


@pytest.fixture(autouse=True)
def messages(office: Office) -> None:
    """Two wait for Juliet, one for her nurse, none for Romeo."""
    for name in ("juliet", "nurse"):
        office.server.account(f"{name}@capulet.example")
    romeo = office.server.online(ORCHARD)
    says(romeo, "a", "b")
    says(romeo, "c", to="nurse@capulet.example", id="n")


def test_who_has_most(office: Office) -> None:
    """The accounts for whom messages wait, those with most first."""
    assert office.rows("offline count") == [[JULIET, 2], ["nurse@capulet.example", 1]]
    assert office.rows("offline count", limit=1) == [[JULIET, 2]]
    assert office.rows("offline count", host="montague.example") == []
    assert len(office.rows("offline count", host="capulet.example")) == 2


def test_one_account(office: Office) -> None:
    """One account has its number, and be it nothing."""
    assert office.rows("offline count", account=JULIET) == [[JULIET, 2]]
    assert office.rows("offline count", account=ROMEO) == [[ROMEO, 0]]


def test_what_was_just_delivered(office: Office) -> None:
    """What is delivered counts at once, though cursors are written later."""
    office.server.online(BALCONY)
    assert office.rows("offline count", account=JULIET) == [[JULIET, 0]]
    assert office.rows("offline count") == [["nurse@capulet.example", 1]]


def test_unknown_host(office: Office) -> None:
    """What is named must be ours."""
    with pytest.raises(CommandError):
        office.run("offline count", host="verona.example")
