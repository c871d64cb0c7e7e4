"""The store of announcements, on every kind of deployment."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.modules.announcements.store import AnnouncementStore, Due, Kind, Texts
from xmppd.modules.announcements.tables import metadata
from xmppd.protocol.jid import Jid

HOST = "shakespeare.example"
JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")


class TestAnnouncements:
    """One store; each test begins with nothing told."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.store_ = AnnouncementStore(deployment.shards)

    def put(self, text: str, kind: Kind = Kind.MOTD, *, again: bool = True, host: str = HOST) -> None:
        self.run(self.store_.put(host, kind, text, again=again))

    def texts(self, host: str = HOST) -> Texts:
        return self.run(self.store_.texts(host))

    def claim(self, number: int, account: Jid = JULIET) -> Due:
        return self.run(self.store_.claim(account, number))

    def test_nothing_told(self) -> None:
        """A host of which nobody has set anything tells nothing."""
        assert self.texts() == Texts("", 0, "")

    def test_texts(self) -> None:
        """Both texts come back whole, each host has its own."""
        self.put("Don't forget: \u2764\n\n--The Globe Staff")
        self.put("Welcome", Kind.WELCOME)
        self.put("Elsewhere", host="capulet.example")
        assert self.texts() == Texts("Don't forget: \u2764\n\n--The Globe Staff", 1, "Welcome")
        assert self.texts("capulet.example") == Texts("Elsewhere", 1, "")

    def test_subject(self) -> None:
        """A message has a subject or none; another one does not inherit it."""
        self.run(self.store_.put(HOST, Kind.MOTD, "one", "Globe", again=True))
        assert self.texts() == Texts("one", 1, "", "Globe")
        self.run(self.store_.put(HOST, Kind.MOTD, "two", "Swan", again=True))
        assert self.texts() == Texts("two", 2, "", "Swan")
        self.put("three")
        assert self.texts() == Texts("three", 3, "", "")
        self.run(self.store_.put(HOST, Kind.MOTD, "four", "Rose", again=True))
        self.run(self.store_.clear(HOST, Kind.MOTD))
        assert self.texts() == Texts()

    def test_another_message(self) -> None:
        """A message that everybody is to see has a number of its own; one that was edited keeps its number."""
        self.put("one")
        self.put("two")
        assert self.texts()[:2] == ("two", 2)
        self.put("two!", again=False)
        assert self.texts()[:2] == ("two!", 2)

    def test_clear(self) -> None:
        """What is deleted is not told any more, and what is set later is new."""
        self.put("one")
        self.put("Welcome", Kind.WELCOME)
        assert self.run(self.store_.clear(HOST, Kind.MOTD))
        assert not self.run(self.store_.clear(HOST, Kind.MOTD))
        assert self.texts() == Texts("", 0, "Welcome")
        self.put("two", again=False)
        assert self.texts()[:2] == ("two", 2)

    def test_claimed_once(self) -> None:
        """An account is due a message of the day once, and each account for itself."""
        assert self.claim(1) == Due(motd=True)
        assert self.claim(1) == Due()
        assert self.claim(1, ROMEO) == Due(motd=True)
        assert self.claim(3) == Due(motd=True)
        assert self.claim(3) == Due()

    def test_no_message(self) -> None:
        """Where there is no message of the day nobody is due one, and nothing is forgotten."""
        assert self.claim(0) == Due()
        assert self.claim(2) == Due(motd=True)
        assert self.claim(0) == Due()
        assert self.claim(2) == Due()

    def test_welcome(self) -> None:
        """A new account is due its welcome once, with the message of the day if there is one."""
        self.run(self.store_.expect_welcome(JULIET))
        self.run(self.store_.expect_welcome(ROMEO))
        assert self.claim(0) == Due(welcome=True)
        assert self.claim(0) == Due()
        assert self.claim(4, ROMEO) == Due(motd=True, welcome=True)
        assert self.claim(4, ROMEO) == Due()

    def test_account_of_the_same_name(self) -> None:
        """What an account of that name has seen before is not what the new one has."""
        assert self.claim(4) == Due(motd=True)
        self.run(self.store_.expect_welcome(JULIET))
        assert self.claim(4) == Due(motd=True, welcome=True)

    def test_forget(self) -> None:
        """Nothing is left of an account, and others keep what they have seen."""
        self.claim(1)
        self.claim(1, ROMEO)
        self.run(self.store_.forget(JULIET))
        assert self.claim(1) == Due(motd=True)
        assert self.claim(1, ROMEO) == Due()

    def test_migrated_schema(self, deployment: Deployment) -> None:
        """The tables are what the migrations make of an empty database."""

        def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
            return (name if kind == "table" else item.table.name) in metadata.tables  # type: ignore[attr-defined]

        with deployment.databases[0].blocking() as connection:
            options = {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


class TestRaces:
    """Two nodes do the same at the same time."""

    @pytest.fixture(autouse=True)
    def stores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.deployment = open_deployment(["sqlite://"], INLINE)
        self.run = self.deployment.run
        self.one, self.two = AnnouncementStore(self.deployment.shards), AnnouncementStore(self.deployment.shards)

    def before(self, name: str, first: Any) -> None:
        """Let something happen between what was read and the first transaction or statement of that name."""
        shards, waiting = self.deployment.shards, [first]
        real = {attribute: getattr(shards, attribute) for attribute in ("write", "transaction")}

        def hooked(attribute: str) -> Any:
            async def call(owner: str, transaction: str, *args: Any) -> Any:
                if transaction == name and waiting:
                    await waiting.pop()
                return await real[attribute](owner, transaction, *args)

            return call

        for attribute in real:
            self.monkeypatch.setattr(shards, attribute, hooked(attribute))

    def test_first_claim(self) -> None:
        """Of two resources that come first one is given the message."""
        self.before("announcements.begin", self.two.claim(JULIET, 1))
        assert self.run(self.one.claim(JULIET, 1)) == Due()

    def test_later_claim(self) -> None:
        """And so it is with the next message, and with the welcome."""
        self.run(self.one.expect_welcome(JULIET))
        self.before("announcements.claim", self.two.claim(JULIET, 1))
        assert self.run(self.one.claim(JULIET, 1)) == Due()
        assert self.run(self.one.claim(JULIET, 2)) == Due(motd=True)

    def test_two_first_texts(self) -> None:
        """If another node has begun the row of a text, the text is set all the same."""
        shards = self.deployment.shards
        real, failures = shards.transaction, [IntegrityError("insert", {}, Exception("unique"))]

        async def transaction(owner: str, name: str, work: Any) -> Any:
            if failures:
                raise failures.pop()
            return await real(owner, name, work)

        self.monkeypatch.setattr(shards, "transaction", transaction)
        self.run(self.one.put(HOST, Kind.MOTD, "Good morrow", again=True))
        assert self.run(self.one.texts(HOST)).motd == "Good morrow"
