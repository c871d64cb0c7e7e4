"""The roster store, on every kind of deployment."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.modules.roster.api import Item, Request
from xmppd.modules.roster.store import RosterStore, StaleRoster
from xmppd.modules.roster.tables import metadata
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
NURSE = Jid.parse("nurse@capulet.example")
FULL = Item(
    ROMEO,
    "Romeo \u2764",
    ("Friends", 'Lovers "{}"'),
    "from",
    asks=True,
    approved=True,
    listed=False,
    request=Request(b"<presence type='subscribe'>\xe2\x9d\xa4</presence>", 1_275_307_200.25),
)


class TestRosters:
    """One store; each test begins with empty rosters."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.store_ = RosterStore(deployment.shards)

    def put(self, owner: Jid, before: int, after: int, jid: Jid, item: Item | None) -> None:
        self.run(self.store_.put(owner, before, after, jid, item))

    def items(self, owner: Jid) -> dict[Jid, Item]:
        return {item.jid: item for item in self.run(self.store_.load(owner))}

    def test_new_roster(self) -> None:
        """A roster that was never changed is empty, in version 0."""
        roster = self.run(self.store_.load(JULIET))
        assert (len(roster), roster.version, roster.owner) == (0, 0, JULIET)

    def test_item_comes_back_whole(self) -> None:
        """All that an item says is kept."""
        self.put(JULIET, 0, 7, ROMEO, FULL)
        roster = self.run(self.store_.load(JULIET))
        assert roster.version == 7
        assert list(roster) == [FULL]
        assert roster.item(ROMEO).jid.localpart == "romeo"

    def test_replace(self) -> None:
        """The item of a contact is one."""
        self.put(JULIET, 0, 1, ROMEO, FULL)
        self.put(JULIET, 1, 2, ROMEO, Item(ROMEO))
        assert self.items(JULIET) == {ROMEO: Item(ROMEO)}

    def test_remove_item(self) -> None:
        """An item is taken out; the others stay."""
        self.put(JULIET, 0, 1, ROMEO, FULL)
        self.put(JULIET, 1, 2, NURSE, Item(NURSE))
        self.put(JULIET, 2, 3, ROMEO, None)
        assert self.items(JULIET) == {NURSE: Item(NURSE)}

    def test_roster_stays_when_its_last_item_goes(self) -> None:
        """The version goes on growing."""
        self.put(JULIET, 0, 1, ROMEO, FULL)
        self.put(JULIET, 1, 2, ROMEO, None)
        roster = self.run(self.store_.load(JULIET))
        assert (len(roster), roster.version) == (0, 2)

    @pytest.mark.parametrize("before", [0, 4, 6])
    def test_stale_change(self, before: int) -> None:
        """A change that was decided on another version writes nothing."""
        self.put(JULIET, 0, 5, ROMEO, FULL)
        with pytest.raises(StaleRoster):
            self.put(JULIET, before, 9, NURSE, Item(NURSE))
        roster = self.run(self.store_.load(JULIET))
        assert (list(roster), roster.version) == ([FULL], 5)

    def test_rosters_are_their_owners(self) -> None:
        """Two accounts may have the same contact."""
        self.put(JULIET, 0, 1, ROMEO, FULL)
        self.put(NURSE, 0, 1, ROMEO, Item(ROMEO, "Young Montague"))
        assert self.items(JULIET) == {ROMEO: FULL}
        assert self.items(NURSE) == {ROMEO: Item(ROMEO, "Young Montague")}

    def test_remove_roster(self) -> None:
        """Nothing of an account is left, and nothing of others is lost."""
        self.put(JULIET, 0, 1, ROMEO, FULL)
        self.put(NURSE, 0, 1, ROMEO, FULL)
        self.run(self.store_.remove(JULIET))
        assert self.run(self.store_.load(JULIET)).version == 0
        assert self.items(JULIET) == {}
        assert self.items(NURSE) == {ROMEO: FULL}

    def test_longest_addresses(self) -> None:
        """The longest addresses that RFC 7622 allows fit the keys."""
        owner = Jid.parse("o" * 1023 + "@capulet.example")
        contact = Jid.parse("c" * 1023 + "@montague.example")
        self.put(owner, 0, 1, contact, Item(contact))
        assert self.items(owner) == {contact: Item(contact)}

    def test_migrated_schema(self, deployment: Deployment) -> None:
        """The tables are what the migrations make of an empty database."""

        def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
            return (name if kind == "table" else item.table.name) in metadata.tables  # type: ignore[attr-defined]

        with deployment.databases[0].blocking() as connection:
            options = {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_two_stores_begin_one_roster() -> None:
    """Of two nodes that write the first item at the same time one has to decide again."""
    deployment = open_deployment(["sqlite://"], INLINE)
    one, two = RosterStore(deployment.shards), RosterStore(deployment.shards)
    deployment.run(one.put(JULIET, 0, 1, ROMEO, FULL))
    with pytest.raises(StaleRoster):
        deployment.run(two.put(JULIET, 0, 1, NURSE, Item(NURSE)))
