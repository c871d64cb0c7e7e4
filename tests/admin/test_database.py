"""`db`: the databases and their schema."""

import pytest

from xmppd.admin.database import judge

from .office import Office, Revision


@pytest.mark.parametrize(
    ("current", "judgement"),
    [
        ("0002", "right"),
        ("0001", "old: run xmppctl db migrate"),
        (None, "empty: run xmppctl db migrate"),
        ("0003", "newer than this release"),
    ],
)
def test_judge(current: str | None, judgement: str) -> None:
    """A shard's schema is right, older, newer or not there."""
    assert judge(Revision(0, "sqlite:///x", current, "0002")) == judgement


def test_status(office: Office) -> None:
    """Each shard is shown with where it is and what it has."""
    office.revisions = [Revision(0, "sqlite:///x", "0001", "0001")]
    assert office.rows("db status") == [[0, "sqlite:///x", "0001", "0001", "right"]]


def test_migrate(office: Office) -> None:
    """What was done is told, and that nothing was to be done."""
    assert office.run("db migrate").text == "every database has the schema of this release"
    office.migrated = ["shard 0: from nothing to 0001", "slots divided among 1 shard"]
    done = office.run("db migrate")
    assert done.text == "shard 0: from nothing to 0001\nslots divided among 1 shard"
    assert done.values == {"steps": office.migrated}
