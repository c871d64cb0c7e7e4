"""Who may run which command: checked in one place, failing closed."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from tests.core.memory_accounts import MemoryAccounts
from xmppd.core.accounts import Account, Role
from xmppd.core.administration import Administration, Authority, reach
from xmppd.core.commands import (
    Caller,
    Command,
    CommandError,
    Done,
    Exit,
    Origin,
    Registry,
    Row,
    Secret,
    argument,
    command,
)
from xmppd.core.drive import drive
from xmppd.core.host import Host, Hosts
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.jid import Jid

ROMEO = Jid("romeo@montague.example")
JULIET = Jid("juliet@capulet.example")
BARD = Jid("bard@shakespeare.example")
SOCKET = Caller(Origin.SOCKET)


def adhoc(jid: Jid) -> Caller:
    return Caller(Origin.ADHOC, jid)


@dataclass(slots=True)
class Noun:
    """Commands that note what they were run with."""

    ran: list[Any] = field(default_factory=list)
    closed: bool = False

    @command("noun all")
    async def all(self) -> None:
        """Reach everything."""
        self.ran.append("all")

    @command("noun some", scoped=True)
    async def some(self, jids: list[Jid], host: str | None = None) -> Done:
        """Reach what is named."""
        self.ran.append((jids, host))
        return Done("some")

    @command("noun of", scoped=True)
    async def of(self, jid: Jid) -> None:
        """Reach one account."""
        self.ran.append(jid)

    @command("noun secret")
    async def secret(self, password: Annotated[Secret, argument("It")], caller: Caller) -> Done:
        """Take a secret, and say who asked."""
        return Done(str(caller))

    @command("noun down")
    async def down(self) -> None:
        """Find the database gone."""
        raise StorageUnavailable("shard 3 is down")

    @command("noun rows")
    async def rows(self) -> AsyncIterator[Row]:
        """Go on for ever."""
        try:
            while True:
                yield {"a": 1}
        finally:
            self.closed = True


class Office:
    """An administration with two hosts, and what became of its commands."""

    def __init__(self) -> None:
        self.accounts = MemoryAccounts()
        for jid in (ROMEO, JULIET, BARD):
            drive(self.accounts.create(jid, {}))
        hosts = Hosts([Host(Jid("montague.example")), Host(Jid("capulet.example"), admins=frozenset({JULIET}))])
        hosts.replace([*hosts.all(), Host(Jid("shakespeare.example"))])
        self.audit: list[str] = []
        self.noun = Noun()
        registry = Registry()
        registry.register("tests", self.noun)
        self.hosts = hosts
        self.administration = Administration(registry, Authority(self.accounts, hosts), self._note)

    def _note(self, caller: Caller, command: Command, arguments: Mapping[str, object]) -> None:
        self.audit.append(f"{caller} {command.name} {dict(arguments)}")

    def run(self, caller: Caller, words: str, each: Any = None, **given: object) -> Any:
        found = self.administration.registry.find(words.split())
        return drive(self.administration.run(caller, found, given, each))


def refused(office: Office, caller: Caller, words: str, **given: object) -> bool:
    """Whether the caller is refused; then nothing has run."""
    try:
        office.run(caller, words, **given)
    except CommandError as error:
        assert error.code is Exit.REFUSED
        assert office.noun.ran == []
        assert office.audit == []
        return True
    return False


def test_socket_may_everything() -> None:
    """Who can open the administration socket administers the server."""
    office = Office()
    assert office.run(SOCKET, "noun all") == Done()
    assert office.noun.ran == ["all"]


def test_ordinary_account_may_nothing() -> None:
    """An account without the role is refused, whatever it asks for."""
    assert refused(Office(), adhoc(ROMEO), "noun all")
    assert refused(Office(), adhoc(ROMEO), "noun of", jid=str(ROMEO))


def test_unknown_account_may_nothing() -> None:
    """A local address without an account (removed a moment ago, or anonymous) is refused."""
    assert refused(Office(), adhoc(Jid("ghost@montague.example")), "noun all")


def test_adhoc_caller_without_address_is_refused() -> None:
    """Nobody in particular is no administrator."""
    assert refused(Office(), Caller(Origin.ADHOC), "noun all")


def test_address_takes_a_socket_callers_privilege() -> None:
    """An address is always checked, also of a caller that claims another origin."""
    assert refused(Office(), Caller(Origin.SOCKET, ROMEO), "noun all")


def test_role_administers_its_own_host() -> None:
    """An account of the role admin may do on its host what is confined to it, and no more."""
    office = Office()
    drive(office.accounts.set_role(ROMEO, Role.ADMIN))
    office.run(adhoc(Jid(f"{ROMEO}/orchard")), "noun of", jid=str(ROMEO))
    assert office.noun.ran == [ROMEO]
    for given in ({"jids": [str(JULIET)]}, {"jids": [str(ROMEO), str(JULIET)]}):
        with pytest.raises(CommandError, match=r"you administer montague\.example only"):
            office.run(adhoc(ROMEO), "noun some", **given)
    with pytest.raises(CommandError, match=r"you administer montague\.example only"):
        office.run(adhoc(ROMEO), "noun all")


def test_host_argument_confines() -> None:
    """A command over all hosts is no command over one."""
    office = Office()
    drive(office.accounts.set_role(ROMEO, Role.ADMIN))
    with pytest.raises(CommandError, match="only"):
        office.run(adhoc(ROMEO), "noun some", jids=[str(ROMEO)])
    office.run(adhoc(ROMEO), "noun some", jids=[str(ROMEO)], host="montague.example")
    with pytest.raises(CommandError, match="only"):
        office.run(adhoc(ROMEO), "noun some", jids=[str(ROMEO)], host="capulet.example")


def test_configuration_names_administrators() -> None:
    """Who is among a host's admins administers it, without the role."""
    office = Office()
    office.run(adhoc(JULIET), "noun of", jid=str(JULIET))
    with pytest.raises(CommandError):
        office.run(adhoc(JULIET), "noun of", jid=str(ROMEO))


def test_administrator_of_all_hosts_may_everything() -> None:
    """Who administers every host administers the server."""
    office = Office()
    office.hosts.replace([Host(host.name, admins=frozenset({BARD})) for host in office.hosts.all()])
    office.run(adhoc(BARD), "noun all")


def test_disabled_administrator_may_nothing() -> None:
    """A disabled account is none, be it named in the configuration or not."""
    office = Office()
    drive(office.accounts.set_enabled(JULIET, False))
    assert refused(office, adhoc(JULIET), "noun of", jid=str(JULIET))


def test_nobody_is_administrator_while_the_store_is_down() -> None:
    """Where the accounts cannot be looked up everybody is refused."""
    office = Office()

    async def get(jid: Jid) -> Account | None:
        raise StorageUnavailable("shard 0 is down")

    office.accounts.get = get  # type: ignore[method-assign]
    with pytest.raises(CommandError, match="database"):
        office.run(adhoc(JULIET), "noun of", jid=str(JULIET))
    assert office.noun.ran == []


def test_without_accounts_only_the_operating_system_vouches() -> None:
    """An authority that knows no accounts refuses every address."""
    authority = Authority()
    found = Office().administration.registry.find(["noun", "all"])
    with pytest.raises(CommandError):
        drive(authority.check(adhoc(JULIET), found, {}))
    assert drive(authority.check(Caller(Origin.OFFLINE), found, {})) is None


def test_audit_sees_no_secret() -> None:
    """Every command is noted before it runs, with arguments but without secrets."""
    office = Office()
    assert office.run(SOCKET, "noun secret", password="pencil") == Done("socket")
    assert office.audit == ["socket noun secret {'password': Secret('***')}"]


def test_database_that_is_down_is_told() -> None:
    """A command that meets a dead shard fails with a remedy."""
    with pytest.raises(CommandError, match="shard 3 is down") as caught:
        Office().run(SOCKET, "noun down")
    assert "db status" in caught.value.remedy


def test_stream_ends_with_its_receiver() -> None:
    """Rows go to the receiver one by one; its end is the end of the command."""
    office = Office()
    rows: list[Row] = []

    async def each(row: Row) -> None:
        rows.append(row)
        if len(rows) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.run(SOCKET, "noun rows", each)
    assert len(rows) == 3
    assert office.noun.closed


def test_stream_needs_a_receiver() -> None:
    """Who takes no rows cannot run a command that streams."""
    with pytest.raises(CommandError, match="rows"):
        Office().run(SOCKET, "noun rows")


def test_reach() -> None:
    """What a command reaches is the domains of its addresses and its host; none at all means everything."""
    assert reach({"jid": ROMEO, "jids": [JULIET], "host": "a.example"}) == {
        "montague.example", "capulet.example", "a.example",
    }  # fmt: skip
    assert reach({"host": None}) == {""}
    assert reach({"n": 1}) == {""}
