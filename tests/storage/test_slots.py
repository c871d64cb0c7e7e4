"""Owners fall into slots, slots into shards."""

from pathlib import Path

import pytest

from tests.storage.deployments import Deployment
from xmppd.storage.slots import SLOTS, Range, SlotMap, read_cached, slot_of, store_map, stored_map, write_cached


class TestSlotOf:
    """The slot of an owner is part of the stored data: it must never change."""

    @pytest.mark.parametrize(
        ("owner", "slot"),
        [("juliet@capulet.example", 715), ("romeo@montague.example", 375), ("日本@example.jp", 266)],
    )
    def test_known_slots(self, owner: str, slot: int) -> None:
        """These owners have these slots, for ever (``b2sum -l 64``, modulo 1024)."""
        assert slot == slot_of(owner)

    def test_spread(self) -> None:
        """Owners spread over all slots, no slot has many more than its share."""
        counts = [0] * SLOTS
        for number in range(20 * SLOTS):
            counts[slot_of(f"user{number}@capulet.example")] += 1
        assert min(counts) > 0
        assert max(counts) < 60


class TestSlotMap:
    """A version of the map."""

    @pytest.mark.parametrize("count", [1, 2, 3, 7])
    def test_even_division(self, count: int) -> None:
        """A fresh deployment gives each shard one run of slots, no two of them differing by more than one."""
        slots = SlotMap.even(count)
        lengths = [len(slots.slots_of(shard)) for shard in range(count)]

        assert list(range(count)) == [part.shard for part in slots.ranges()]
        assert sum(lengths) == SLOTS
        assert max(lengths) - min(lengths) <= 1

    def test_ranges_describe_the_map(self) -> None:
        """Ranges, in whatever order, give the same map again."""
        slots = SlotMap(3, (0,) * 100 + (1,) * 24 + (0,) * 900)
        assert slots == SlotMap.of_ranges(3, reversed(slots.ranges()))

    @pytest.mark.parametrize(
        "ranges",
        [
            [],
            [Range(0, 1022, 0)],
            [Range(1, 1023, 0)],
            [Range(0, 600, 0), Range(600, 1023, 1)],
            [Range(0, 500, 0), Range(502, 1023, 1)],
            [Range(0, 1024, 0)],
            [Range(0, 1023, -1)],
        ],
    )
    def test_gaps_and_overlaps_are_refused(self, ranges: list[Range]) -> None:
        """A damaged map is no map."""
        with pytest.raises(ValueError, match="slot map 1"):
            SlotMap.of_ranges(1, ranges)


class TestStoredMap:
    """Shard 0 keeps every version; the newest counts."""

    def test_newest_version(self, deployment: Deployment) -> None:
        """What was stored last is read."""
        newer = SlotMap(2, (0,) * 1000 + (1,) * 24)
        store = deployment.databases[0].transaction("store", lambda connection: store_map(connection, newer), None)
        deployment.run(store)

        assert newer == deployment.run(deployment.databases[0].transaction("stored", stored_map, None))


class TestCachedMap:
    """The file from which a node boots without shard 0."""

    def test_round_trip(self, tmp_path: Path) -> None:
        """The file holds the map; nothing else is left beside it."""
        write_cached(tmp_path / "slots.json", SlotMap.even(2))
        write_cached(tmp_path / "slots.json", SlotMap.even(3))

        assert SlotMap.even(3) == read_cached(tmp_path / "slots.json")
        assert [path.name for path in tmp_path.iterdir()] == ["slots.json"]

    def test_no_file(self, tmp_path: Path) -> None:
        """Without a file there is no map."""
        assert read_cached(tmp_path / "slots.json") is None

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"version": 1, "ranges": [[0, 5, 0]]}', '{"version": 1, "ranges": [1]}']
    )
    def test_damaged_file(self, tmp_path: Path, text: str) -> None:
        """A damaged file is an error that names the file, not a guess."""
        file = tmp_path / "slots.json"
        file.write_text(text)
        with pytest.raises(ValueError, match=r"slots\.json is no slot map"):
            read_cached(file)
