"""Items and batches: what is committed together, and which ids it was given."""

from collections.abc import Sequence
from itertools import compress

from ...core.message_log import Done, Entry
from ...protocol.jid import Jid
from .keys import Key, Keys


class Item:
    """Entries that are committed all or none, and who is told.

    :ivar asks: whether any of them asks for an earlier one with its key.
    :ivar done: None once it has been told.
    :ivar size: of the stanzas, in bytes.
    :ivar since: when it was queued, in seconds.
    :ivar has_moved: whether a shard has refused it, as it does not hold the owner.
    """

    __slots__ = ("asks", "done", "entries", "has_moved", "since", "size")

    def __init__(self, entries: Sequence[Entry], done: Done | None, since: float) -> None:
        self.entries = entries
        self.done = done
        self.asks = False
        self.size = 0
        for entry in entries:
            self.size += len(entry.stanza)
            if entry.since:
                self.asks = True
        self.since = since
        self.has_moved = False


class Batch:
    """Rows in the order of their items, and their owners in the order in which every batch locks them.

    :ivar entries: the rows.
    :ivar owners: each owner once, by ascending digest.
    :ivar keys: their keys.
    :ivar counts: how many rows each owner has.
    :ivar whose: for each row, where its owner is in `owners`.
    :ivar ranks: for each row, how many rows of the same owner come before it.
    :ivar asks: whether any row asks for an earlier one with its key.
    """

    __slots__ = ("asks", "counts", "entries", "keys", "owners", "ranks", "whose")

    def __init__(self, items: Sequence[Item], keys: Keys) -> None:
        self.entries = [entry for item in items for entry in item.entries]
        counts: dict[Jid, int] = {}
        self.ranks: list[int] = []
        self.asks = any(item.asks for item in items)
        for entry in self.entries:
            rank = counts.get(entry.owner, 0)
            counts[entry.owner] = rank + 1
            self.ranks.append(rank)
        self.owners = sorted(counts, key=lambda owner: keys[owner].digest)
        self.keys: list[Key] = [keys[owner] for owner in self.owners]
        self.counts = [counts[owner] for owner in self.owners]
        places = {owner: place for place, owner in enumerate(self.owners)}
        self.whose = [places[entry.owner] for entry in self.entries]

    def accept(self, numbers: Sequence[int | None]) -> None:
        """Give the entries their ids.

        :param numbers: for each owner its last id before, then for each its last id now; then, if any row `asks`, for
            each row the id of the earlier one, or None.
        """
        width = len(self.owners)
        before, after, earlier = numbers[:width], numbers[width : 2 * width], numbers[2 * width :]
        if earlier:
            self._accept_with_repetitions(before, after, earlier)
        else:
            self._number(self.entries, self.whose, self.ranks, before, self.counts, after)

    def _accept_with_repetitions(
        self, before: Sequence[int | None], after: Sequence[int | None], earlier: Sequence[int | None]
    ) -> None:
        is_new = [found is None for found in earlier]
        for entry, found in zip(self.entries, earlier, strict=True):
            if found is not None:
                entry.id, entry.is_repeated = found, True
        whose, ranks = list(compress(self.whose, is_new)), list(compress(self.ranks, is_new))
        counts = [0] * len(self.owners)
        for place, rank in zip(whose, ranks, strict=True):
            counts[place] = rank + 1
        self._number(list(compress(self.entries, is_new)), whose, ranks, before, counts, after)

    @staticmethod
    def _number(
        entries: Sequence[Entry],
        whose: Sequence[int],
        ranks: Sequence[int],
        before: Sequence[int | None],
        counts: Sequence[int],
        after: Sequence[int | None],
    ) -> None:
        previous = [number or 0 for number in before]
        first = [(last or 0) - count + 1 for last, count in zip(after, counts, strict=True)]
        for entry, place, rank in zip(entries, whose, ranks, strict=True):
            entry.previous = previous[place]
            previous[place] = entry.id = first[place] + rank
