"""Nothing is acknowledged that is not stored, whatever keeps it from being stored; all else goes on."""

from pathlib import Path

from .conftest import Keeps
from .disks import is_full, is_locked
from .house import FILE, House, SqliteFile
from .outages import Outage
from .small_disk import SmallHouse

SEED = 1597


def holds(outage: Outage) -> None:
    """Check what has to be true of every outage."""
    assert outage.findings is not None
    assert outage.findings.faults == {}
    assert outage.findings.acknowledged > 0
    assert outage.refused > 0


async def test_full_disk(keeps: Keeps, tmp_path: Path) -> None:
    """A full disk: senders get errors, others do not notice, and room on the disk is all that it takes to recover."""
    house = keeps(SmallHouse(tmp_path))
    assert isinstance(house, SmallHouse)
    await house.start()
    holds(await is_full(house, SEED))
    await house.stop()


async def test_locked_file(keeps: Keeps, tmp_path: Path) -> None:
    """A database that cannot be written but can be read: the same."""
    house = keeps(House(tmp_path, [SqliteFile(f"sqlite:///{FILE}", lambda: tmp_path / "data" / FILE)]))
    await house.start()
    holds(await is_locked(house, SEED))
    await house.stop()
