"""`session`: who is connected, and ending it."""

import pytest

from xmppd.core.commands import CommandError, Exit

from .office import Office

ROMEO = "romeo@montague.example"


def test_list(office: Office) -> None:
    """A session is shown with where it comes from and whether it is available."""
    office.server.connect(f"{ROMEO}/orchard")
    office.server.online("juliet@capulet.example/balcony", "<presence><priority>5</priority></presence>")
    rows = {row[0]: row for row in office.rows("session list")}
    assert list(rows) == [f"{ROMEO}/orchard", "juliet@capulet.example/balcony"]
    assert rows[f"{ROMEO}/orchard"][1:3] == ["192.0.2.1", True]
    assert rows[f"{ROMEO}/orchard"][4:] == [False, 0, None]


def test_hibernating_session(office: Office) -> None:
    """A session that waits to be resumed (XEP-0198) is shown with the time at which its connection was lost."""
    orchard = office.server.online(f"{ROMEO}/orchard")
    orchard.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    office.server.advance(60)
    orchard.loses_connection()
    (row,) = office.rows("session list")
    assert row[1:3] == ["192.0.2.1", True]
    assert row[-1].isoformat() == "2010-05-31T12:01:00+00:00"
    office.run("session kick", jids=[f"{ROMEO}/orchard"])
    assert office.rows("session list") == []


def test_list_of_a_host_and_an_account(office: Office) -> None:
    """The list can be confined to a host or an account, and to a number."""
    for jid in (f"{ROMEO}/orchard", f"{ROMEO}/home", "juliet@capulet.example/balcony"):
        office.server.connect(jid)
    assert len(office.rows("session list", host="montague.example")) == 2
    assert len(office.rows("session list", account="juliet@capulet.example")) == 1
    assert office.rows("session list", account=ROMEO, host="capulet.example") == []
    assert len(office.rows("session list", limit=1)) == 1
    with pytest.raises(CommandError, match="no host"):
        office.run("session list", host="verona.example")


def test_count(office: Office) -> None:
    """Get Number of Online Users counts accounts; sessions are counted beside them."""
    for jid in (f"{ROMEO}/orchard", f"{ROMEO}/home", "juliet@capulet.example/balcony"):
        office.server.connect(jid)
    assert office.values("session count") == {"accounts": 2, "sessions": 3}
    assert office.values("session count", host="montague.example") == {"accounts": 1, "sessions": 2}


def test_kick_a_session(office: Office) -> None:
    """End User Session: the full JID ends one session, with a stream error that says why."""
    orchard = office.server.connect(f"{ROMEO}/orchard")
    home = office.server.connect(f"{ROMEO}/home")
    assert office.run("session kick", jids=[f"{ROMEO}/orchard"], reason="Banished.").text == f"ended: {ROMEO}/orchard"
    office.server.run()
    assert orchard.stream_ended
    assert b"Banished." in orchard.raw
    assert not home.stream_ended


def test_kick_an_account(office: Office) -> None:
    """End User Session: the bare JID ends all sessions of the account."""
    sessions = [office.server.connect(f"{ROMEO}/{resource}") for resource in ("orchard", "home")]
    office.run("session kick", jids=[ROMEO])
    office.server.run()
    assert all(session.stream_ended for session in sessions)


@pytest.mark.parametrize("jid", [ROMEO, f"{ROMEO}/orchard", "romeo@verona.example"])
def test_kick_nobody(office: Office, jid: str) -> None:
    """Who is not connected cannot be disconnected."""
    with pytest.raises(CommandError) as caught:
        office.run("session kick", jids=[jid])
    assert caught.value.code is Exit.UNKNOWN
