"""What becomes of accounts has consequences: announcements, and the end of sessions."""

from typing import Any

import pytest

from tests.scenario.server import PASSWORD, Server, keys
from xmppd.core.accounts import AccountExists, AccountUnknown, Role
from xmppd.core.credentials import derive_all
from xmppd.core.events import AccountCreated, AccountDisabled, AccountRemoved
from xmppd.core.hooks import notice
from xmppd.protocol.jid import Jid

JULIET = Jid("juliet@capulet.example")
ROMEO = Jid("romeo@montague.example")


class Notes:
    """Notes what is announced, and whether the account was there then."""

    def __init__(self, accounts: Any) -> None:
        self.accounts = accounts
        self.heard: list[tuple[str, Jid, bool]] = []

    @notice(AccountCreated)
    async def created(self, event: AccountCreated) -> None:
        self.heard.append(("created", event.account.jid, True))

    @notice(AccountRemoved)
    async def removed(self, event: AccountRemoved) -> None:
        self.heard.append(("removed", event.jid, await self.accounts.get(event.jid) is not None))

    @notice(AccountDisabled)
    async def disabled(self, event: AccountDisabled) -> None:
        account = await self.accounts.get(event.jid)
        self.heard.append(("disabled", event.jid, account.enabled))


@pytest.fixture
def notes(server: Server) -> Notes:
    notes = Notes(server.node.accounts)
    server.node.hooks.bind("notes", notes)
    return notes


def test_creation(server: Server, notes: Notes) -> None:
    """A new account is announced, one whose name is taken is not."""
    accounts = server.node.accounts
    server.wait(accounts.create(JULIET, keys(), Role.ADMIN))
    with pytest.raises(AccountExists):
        server.wait(accounts.create(JULIET, keys()))
    assert notes.heard == [("created", JULIET, True)]
    account = server.wait(accounts.get(JULIET))
    assert account.role is Role.ADMIN


def test_removal(server: Server, notes: Notes) -> None:
    """It is announced while the account is still there; then its sessions end, in the next turn."""
    juliet = server.connect(f"{JULIET}/balcony")
    chamber = server.connect(f"{JULIET}/chamber")
    romeo = server.connect(f"{ROMEO}/garden")
    notes.heard.clear()
    server.wait(server.node.accounts.delete(JULIET))
    assert notes.heard == [("removed", JULIET, True)]
    juliet.receives_stream_error("not-authorized")
    chamber.receives_stream_error("not-authorized")
    assert server.wait(server.node.accounts.get(JULIET)) is None
    romeo.receives_nothing()
    assert not romeo.connection.closed


def test_removal_of_nobody(server: Server) -> None:
    """What does not exist cannot be removed."""
    with pytest.raises(AccountUnknown):
        server.wait(server.node.accounts.delete(JULIET))


def test_disabling_is_announced(server: Server, notes: Notes) -> None:
    """It is told when it holds already; to be enabled is nothing to tell of."""
    server.account(JULIET)
    notes.heard.clear()
    server.wait(server.node.accounts.set_enabled(JULIET, False))
    server.wait(server.node.accounts.set_enabled(JULIET, True))
    assert notes.heard == [("disabled", JULIET, False)]


def test_further_keys(server: Server) -> None:
    """XEP-0480: they are added to those that there are, if the password is still the same."""
    accounts = server.node.accounts
    given = derive_all(PASSWORD, 1)
    only = {"SHA-1": given["SHA-1"]}
    server.wait(accounts.create(JULIET, only))
    assert server.wait(accounts.add_credentials(JULIET, {"SHA-256": given["SHA-256"]}, only)) is True
    assert set(server.wait(accounts.credentials(JULIET))) == {"SHA-1", "SHA-256"}
    assert server.wait(accounts.add_credentials(JULIET, given, {"SHA-1": given["SHA-256"]})) is False


def test_disabling(server: Server) -> None:
    """A disabled account loses its sessions and gets no others until it is enabled."""
    accounts = server.node.accounts
    juliet = server.connect(f"{JULIET}/balcony")
    server.wait(accounts.set_enabled(JULIET, False))
    juliet.receives_stream_error("policy-violation")
    again = server.connection()
    again.opens(JULIET.domainpart)
    assert again.authenticates("juliet", PASSWORD).tag.endswith("failure")
    server.wait(accounts.set_enabled(JULIET, True))
    assert again.authenticates("juliet", PASSWORD).tag.endswith("success")


def test_enabling_ends_nothing(server: Server) -> None:
    """Who is enabled stays connected."""
    juliet = server.connect(f"{JULIET}/balcony")
    server.wait(server.node.accounts.set_enabled(JULIET, True))
    juliet.receives_nothing()
    assert not juliet.connection.closed


def test_other_password(server: Server) -> None:
    """XEP-0077, 3.3: sessions stay; the next login needs the new one."""
    juliet = server.connect(f"{JULIET}/balcony")
    server.wait(server.node.accounts.set_credentials(JULIET, derive_all("wherefore", 1)))
    juliet.receives_nothing()
    again = server.connection()
    again.opens(JULIET.domainpart)
    assert again.authenticates("juliet", PASSWORD).tag.endswith("failure")
    assert again.authenticates("juliet", "wherefore").tag.endswith("success")
    assert "SHA-256" in server.wait(server.node.accounts.credentials(JULIET))


def test_the_rest_is_the_stores(server: Server) -> None:
    """Roles, last sessions, pages and counts go through unchanged."""
    accounts = server.node.accounts
    for jid in (JULIET, Jid("nurse@capulet.example")):
        server.account(jid)
    server.wait(accounts.set_role(JULIET, Role.ADMIN))
    server.wait(accounts.set_last_seen(JULIET, 1000.0, "gone"))
    account = server.wait(accounts.get(JULIET))
    assert (account.role, account.last_seen, account.last_status) == (Role.ADMIN, 1000.0, "gone")
    assert [account.jid for account in server.wait(accounts.page("capulet.example"))] == [
        JULIET,
        "nurse@capulet.example",
    ]
    assert [account.jid for account in server.wait(accounts.page("capulet.example", JULIET, 1))] == [
        "nurse@capulet.example"
    ]
    assert server.wait(accounts.count("capulet.example")) == 2


class TestExistence:
    """Whether there is an account is asked of the database once a minute."""

    def asked(self, server: Server) -> int:
        tally = server.database.tallies.by_name.get("accounts.get")
        return 0 if tally is None else tally.count

    def test_once_a_minute(self, server: Server) -> None:
        """One that is there is there for a while."""
        server.account(str(JULIET))
        accounts, before = server.node.accounts, self.asked(server)
        assert server.wait(accounts.exists(JULIET))
        assert server.wait(accounts.exists(JULIET))
        assert self.asked(server) == before + 1
        server.advance(61)
        assert server.wait(accounts.exists(JULIET))
        assert self.asked(server) == before + 2

    def test_one_that_is_not_there_may_come(self, server: Server) -> None:
        """That there is none is not remembered."""
        assert not server.wait(server.node.accounts.exists(JULIET))
        server.account(str(JULIET))
        assert server.wait(server.node.accounts.exists(JULIET))

    def test_a_removed_one_is_gone_at_once(self, server: Server) -> None:
        """Nothing is stored for it any more, not even while it is being removed."""
        accounts = server.node.accounts
        server.account(str(JULIET))
        assert server.wait(accounts.exists(JULIET))
        seen: list[bool] = []

        class Watch:
            @notice(AccountRemoved)
            async def removed(self, event: AccountRemoved) -> None:
                seen.append(await accounts.exists(event.jid))

        server.node.hooks.bind("watch", Watch())
        server.wait(accounts.delete(JULIET))
        assert seen == [False]
        assert not server.wait(accounts.exists(JULIET))
