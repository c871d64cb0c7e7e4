"""The store of clients, on every kind of deployment."""

from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.modules.client_access.store import STALE, Client, ClientStore
from xmppd.modules.client_access.tables import metadata
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
NOW = 1_275_307_200.0
DAY = 86_400.0
PHONE = Client("phone", "Gajim", "Juliet's phone", b"mark", NOW, NOW)


def at(client: Client, when: float) -> Client:
    return replace(client, first_seen=when, last_seen=when)


class TestClients:
    """One store; each test begins without clients."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.clients = ClientStore(deployment.shards)

    def note(self, seen: Client, account: Jid = JULIET, most: int = 10, least: float = 0.0) -> None:
        self.run(self.clients.note(account, seen, most, least))

    def all(self, account: Jid = JULIET) -> list[Client]:
        return self.run(self.clients.all(account))

    def test_clients_come_back_whole(self) -> None:
        """The first one that was seen comes first; every account has its own."""
        laptop = Client("laptop", "", "", b"", NOW - 1, NOW + 1)
        for client in (PHONE, laptop):
            self.note(client)
        self.note(PHONE, ROMEO)
        assert self.all() == [laptop, PHONE]
        assert self.all(ROMEO) == [PHONE]
        assert self.run(self.clients.get(JULIET, "laptop")) == laptop
        assert self.run(self.clients.get(JULIET, "tablet")) is None

    def test_a_client_that_comes_back(self) -> None:
        """What it says now counts; when it came first stays."""
        self.note(PHONE)
        self.note(at(replace(PHONE, software="Dino", mark=b"other"), NOW + DAY))
        assert self.all() == [Client("phone", "Dino", "Juliet's phone", b"other", NOW, NOW + DAY)]

    def test_a_login_without_a_password_leaves_the_mark(self) -> None:
        """A client that has shown the password once knows it, whatever it logs in by later."""
        self.note(PHONE)
        self.note(at(replace(PHONE, mark=b""), NOW + DAY))
        assert self.all() == [replace(PHONE, last_seen=NOW + DAY)]

    def test_nothing_is_written_for_little(self) -> None:
        """A client that comes every minute is not written every minute; but what it says anew is."""
        self.note(PHONE)
        self.note(at(PHONE, NOW + STALE - 1))
        assert self.all() == [PHONE]
        self.note(at(replace(PHONE, device="My phone"), NOW + 60))
        assert self.all() == [replace(PHONE, device="My phone", last_seen=NOW + 60)]

    def test_the_end_of_a_session(self) -> None:
        """It was there until then; two ends may be told in any order."""
        self.note(PHONE)
        self.run(self.clients.see(JULIET, "phone", NOW + 60))
        self.run(self.clients.see(JULIET, "phone", NOW + 30))
        assert self.all() == [replace(PHONE, last_seen=NOW + 60)]

    def test_what_is_forgotten(self) -> None:
        """One client, or all."""
        laptop = replace(PHONE, client="laptop")
        self.note(PHONE)
        self.note(laptop)
        assert self.run(self.clients.drop(JULIET, "phone")) is True
        assert self.run(self.clients.drop(JULIET, "phone")) is False
        assert self.all() == [laptop]
        self.run(self.clients.forget(JULIET))
        assert self.all() == []

    def test_clients_that_stay_away_are_forgotten(self) -> None:
        """XEP-0494, Privacy Considerations: nothing is kept for longer than necessary."""
        self.note(PHONE)
        laptop = at(replace(PHONE, client="laptop"), NOW + 100 * DAY)
        self.note(laptop, least=NOW + 10 * DAY)
        assert self.all() == [laptop]

    def test_an_account_has_a_bound(self) -> None:
        """Those that were away longest make room."""
        seen = [at(replace(PHONE, client=f"client {number}"), NOW + number) for number in range(4)]
        for client in seen:
            self.note(client, most=3)
        assert self.all() == seen[1:]

    def test_tables_are_those_of_the_migrations(self, deployment: Deployment) -> None:
        """What the module declares is what a migrated database has."""

        def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
            return kind != "table" or name in metadata.tables

        with deployment.databases[0].blocking() as connection:
            options = {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


class TestRaces:
    """The same client logs in twice at the same moment."""

    @pytest.fixture(autouse=True)
    def store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        deployment = open_deployment(["sqlite://"], INLINE)
        self.run, self.clients = deployment.run, ClientStore(deployment.shards)
        self.monkeypatch = monkeypatch

    def after_the_look(self, happens: Any) -> None:
        real = self.clients.get

        async def get(account: Jid, client: str) -> Client | None:
            self.monkeypatch.undo()
            found = await real(account, client)
            await happens
            return found

        self.monkeypatch.setattr(self.clients, "get", get)

    def test_two_first_logins(self) -> None:
        """The later one changes what the other one has written."""
        self.after_the_look(self.clients.note(JULIET, PHONE, 10, 0.0))
        self.run(self.clients.note(JULIET, at(replace(PHONE, software="Dino"), NOW + 1), 10, 0.0))
        assert self.run(self.clients.all(JULIET)) == [replace(PHONE, software="Dino", last_seen=NOW + 1)]

    def test_a_login_while_the_client_is_revoked(self) -> None:
        """Whoever has logged in is listed."""
        self.run(self.clients.note(JULIET, PHONE, 10, 0.0))
        self.after_the_look(self.clients.drop(JULIET, "phone"))
        later = replace(PHONE, last_seen=NOW + DAY)
        self.run(self.clients.note(JULIET, later, 10, 0.0))
        assert self.run(self.clients.all(JULIET)) == [later]
