"""A shard that is down or slow affects its own owners only, and recovers without a restart of the server."""

from pathlib import Path

import pytest

from .conftest import Keeps
from .house import House
from .outages import TROUBLES, TURNS, pillars
from .postgres import Mortal

SEED = 1597


@pytest.mark.parametrize("what", ["killed", "frozen", "read-only"])
async def test_one_of_two_shards(keeps: Keeps, tmp_path: Path, what: str, postgres: Mortal, second: Mortal) -> None:
    """Its owners get errors, nothing they were told is stored gets lost; the other shard's owners notice nothing."""
    trouble, weak = TROUBLES[what]
    stage = pillars(postgres, second, weak)
    house = keeps(House(tmp_path, stage.databases))
    await house.start()
    outage = await trouble(house, stage, SEED)
    await house.stop()
    assert outage.findings is not None
    assert outage.findings.faults == {}
    assert outage.refused > 0
    assert len(outage.meanwhile) == TURNS
