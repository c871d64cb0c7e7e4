"""Batches: who owns which rows, and what numbers they are given."""

from xmppd.protocol.jid import Jid
from xmppd.storage.message_log.batch import Batch, Item
from xmppd.storage.message_log.keys import Keys

from .logs import JULIET, ROMEO, received, sent

KEY = bytes(16)


def batch_of(*items: Item) -> Batch:
    return Batch(items, Keys())


def test_owners_ascend() -> None:
    """Every batch locks owners in the same order: that of their digests."""
    owners = [Jid(f"u{number}@h") for number in range(20)]
    batch = batch_of(*(Item([received(owner=owner)], None, 0.0) for owner in owners))
    assert sorted(batch.keys) == batch.keys
    assert set(owners) == set(batch.owners)


def test_ranks() -> None:
    """Each row knows how many rows of its owner come before it."""
    batch = batch_of(Item([received(), sent()], None, 0.0), Item([received()], None, 0.0), Item([], None, 0.0))
    assert batch.ranks == [0, 0, 1]
    assert [batch.owners[place] for place in batch.whose] == [ROMEO, JULIET, ROMEO]
    assert dict(zip(batch.owners, batch.counts, strict=True)) == {ROMEO: 2, JULIET: 1}


def test_asks() -> None:
    """Repetitions are looked for if any row wants that."""
    assert not batch_of(Item([received(key=KEY)], None, 0.0)).asks
    assert batch_of(Item([received(), received(key=KEY, since=5)], None, 0.0)).asks


def test_numbers() -> None:
    """An owner's rows are numbered up to its last id; each knows the one before it."""
    rows = [received(), received(), received()]
    batch_of(Item(rows, None, 0.0)).accept([4, 102])
    assert [(row.id, row.previous) for row in rows] == [(100, 4), (101, 100), (102, 101)]


def test_repetitions() -> None:
    """A row with an earlier one gets that one's id; the others are numbered by rank, with a gap."""
    rows = [received(), received(key=KEY, since=1), received(), received(key=KEY, since=1)]
    batch_of(Item(rows, None, 0.0)).accept([4, 102, None, 3, None, 2])
    assert [(row.id, row.previous, row.is_repeated) for row in rows[::2]] == [(100, 4, False), (102, 100, False)]
    assert [(row.id, row.is_repeated) for row in rows[1::2]] == [(3, True), (2, True)]


def test_only_repetitions() -> None:
    """Then nothing was numbered."""
    row = received(key=KEY, since=1)
    batch_of(Item([row], None, 0.0)).accept([4, 4, 3])
    assert (row.id, row.is_repeated) == (3, True)


def test_size() -> None:
    """An item's size is that of its stanzas."""
    entries = [received("a"), sent("bc")]
    assert sum(len(entry.stanza) for entry in entries) == Item(entries, None, 0.0).size
