"""`account`: registering, changing and removing accounts."""

from typing import Any

import pytest

from tests.scenario.server import NOON
from xmppd.core.accounts import Role
from xmppd.core.commands import CommandError, Exit
from xmppd.core.credentials import check_password
from xmppd.core.results import moment
from xmppd.protocol.jid import Jid

from .office import Office

ROMEO = Jid("romeo@montague.example")
JULIET = Jid("juliet@capulet.example")


def fails(office: Office, words: str, **given: Any) -> CommandError:
    with pytest.raises(CommandError) as caught:
        office.run(words, **given)
    return caught.value


def test_add(office: Office) -> None:
    """A new account can log in, and has the role it was given."""
    assert office.run("account add", jid=str(ROMEO), password="pencil").text == f"{ROMEO} is registered"
    office.server.connect(f"{ROMEO}/orchard")
    office.run("account add", jid=str(JULIET), password="pencil", role="admin")
    assert office.values("account info", jid=str(JULIET))["role"] is Role.ADMIN


def test_add_twice(office: Office) -> None:
    """An account that exists is left alone."""
    office.run("account add", jid=str(ROMEO), password="pencil")
    error = fails(office, "account add", jid="ROMEO@montague.example", password="other")
    assert error.text == f"{ROMEO} exists"
    assert "passwd" in error.remedy


@pytest.mark.parametrize(
    ("jid", "text", "code"),
    [
        ("romeo@verona.example", "verona.example is no host of this server", Exit.UNKNOWN),
        ("montague.example", "montague.example is no account", Exit.USAGE),
        ("romeo@montague.example/orchard", "romeo@montague.example/orchard is no account", Exit.USAGE),
    ],
)
def test_only_local_accounts(office: Office, jid: str, text: str, code: Exit) -> None:
    """Accounts are bare JIDs of hosts that are served here."""
    error = fails(office, "account add", jid=jid, password="pencil")
    assert (error.text, error.code) == (text, code)


def test_password_that_cannot_be_used(office: Office) -> None:
    """A password that SASL could not carry is refused when it is set."""
    error = fails(office, "account add", jid=str(ROMEO), password="")
    assert error.text.startswith("this password cannot be used")
    assert fails(office, "account info", jid=str(ROMEO)).code is Exit.UNKNOWN


def test_passwd(office: Office) -> None:
    """The new password fits, the old one does not; sessions stay unless they are to end."""
    romeo = office.server.connect(f"{ROMEO}/orchard")
    office.run("account passwd", jid=str(ROMEO), password="eraser")
    credentials = office.server.wait(office.server.node.accounts.credentials(ROMEO))
    assert check_password("eraser", credentials)
    assert not check_password("pencil", credentials)
    assert not romeo.stream_ended
    office.run("account passwd", jid=str(ROMEO), password="eraser", kick=True)
    office.server.run()
    assert romeo.stream_ended


def test_passwd_of_nobody(office: Office) -> None:
    """An account that does not exist gets no password."""
    error = fails(office, "account passwd", jid=str(ROMEO), password="pencil")
    assert (error.text, error.code) == (f"there is no account {ROMEO}", Exit.UNKNOWN)


def test_role(office: Office) -> None:
    """The role changes what an account may do."""
    office.server.account(ROMEO)
    office.run("account role", jid=str(ROMEO), role="admin")
    assert office.values("account info", jid=str(ROMEO))["role"] is Role.ADMIN


def test_disable_and_enable(office: Office) -> None:
    """Disable User: the session ends and nobody can log in, until Re-Enable User."""
    romeo = office.server.connect(f"{ROMEO}/orchard")
    office.run("account disable", jids=[str(ROMEO)])
    office.server.run()
    assert romeo.stream_ended
    assert office.values("account info", jid=str(ROMEO))["enabled"] is False
    office.run("account enable", jids=[str(ROMEO)])
    office.server.connect(f"{ROMEO}/orchard")


def test_several_or_none(office: Office) -> None:
    """A command over several accounts changes none of them if one does not exist."""
    office.server.account(ROMEO)
    assert fails(office, "account disable", jids=[str(ROMEO), str(JULIET)]).code is Exit.UNKNOWN
    assert office.values("account info", jid=str(ROMEO))["enabled"] is True


def test_delete(office: Office) -> None:
    """Delete User: sessions end and the account is gone."""
    romeo = office.server.connect(f"{ROMEO}/orchard")
    done = office.run("account delete", jids=[str(ROMEO)])
    assert (done.text, done.values) == (f"deleted: {ROMEO}", {"deleted": [ROMEO]})
    office.server.run()
    assert romeo.stream_ended
    assert fails(office, "account info", jid=str(ROMEO)).code is Exit.UNKNOWN


def test_list(office: Office) -> None:
    """Accounts come host by host in the order of their names; a limit and a start page through them."""
    for jid in (ROMEO, JULIET, "nurse@capulet.example", "benvolio@montague.example"):
        office.server.account(jid)
    found = ["juliet@capulet.example", "nurse@capulet.example", "benvolio@montague.example", "romeo@montague.example"]

    def listed(**given: object) -> list[str]:
        return [row[0] for row in office.rows("account list", **given)]

    assert listed() == found
    assert listed(limit="none") == found
    assert listed(limit=3) == found[:3]
    assert listed(limit=0) == []
    assert listed(after=found[0]) == found[1:]
    assert listed(after=found[1], limit=1) == [found[2]]
    assert listed(host="montague.example") == found[2:]
    office.run("account disable", jids=[found[1], found[3]])
    assert listed(disabled=True) == [found[1], found[3]]
    assert listed(disabled=True, limit=1) == [found[1]]
    assert fails(office, "account list", host="verona.example").code is Exit.UNKNOWN


def test_count(office: Office) -> None:
    """Get Number of Registered Users, of all hosts or of one."""
    office.server.account(ROMEO)
    office.server.account(JULIET)
    assert office.values("account count") == {"accounts": 2}
    assert office.values("account count", host="capulet.example") == {"accounts": 1}


def test_disabled(office: Office) -> None:
    """Get Number of Disabled Users, Get List of Disabled Users."""
    for jid in (ROMEO, JULIET, "nurse@capulet.example"):
        office.server.account(jid)
    assert office.values("account count-disabled") == {"accounts": 0}
    office.run("account disable", jids=[str(ROMEO), str(JULIET)])
    assert office.values("account count-disabled") == {"accounts": 2}
    assert office.values("account count-disabled", host="montague.example") == {"accounts": 1}
    found = office.run("account list-disabled")
    assert [row[0] for row in found.rows] == [JULIET, ROMEO]
    assert found.form == {"account": "disableduserjids"}
    assert [row[0] for row in office.rows("account list-disabled", limit=1)] == [JULIET]


def test_lastlogin(office: Office) -> None:
    """Get User Last Login Time: of who is connected, of who was, of who never was."""
    office.server.account(JULIET)
    office.server.account("nurse@capulet.example")
    office.server.advance(60)
    office.server.connect(f"{ROMEO}/orchard")
    office.server.wait(office.server.node.accounts.set_last_seen(JULIET, NOON + 30))
    jids = [str(ROMEO), str(JULIET), "nurse@capulet.example"]
    found = office.run("account lastlogin", jids=jids)
    assert [list(row) for row in found.rows] == [
        [ROMEO, moment(NOON + 60)], [JULIET, moment(NOON + 30)], [Jid("nurse@capulet.example"), None],
    ]  # fmt: skip
    assert found.form == {"account": "accountjids", "last_login": "lastlogin"}
    assert fails(office, "account lastlogin", jids=["nobody@capulet.example"]).code is Exit.UNKNOWN


def test_info(office: Office) -> None:
    """What is known of an account and its sessions."""
    office.server.connect(f"{ROMEO}/orchard", peer_address="192.0.2.7")
    values = office.values("account info", jid=str(ROMEO))
    assert (values["account"], values["role"], values["enabled"]) == (ROMEO, Role.USER, True)
    assert (values["resources"], values["addresses"]) == (["orchard"], ["192.0.2.7"])
    assert values["last_seen"] is None
