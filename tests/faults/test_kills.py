"""Acknowledged means durable: the server is killed under load, and nothing that it acknowledged is lost."""

from pathlib import Path

import pytest

from .conftest import Keeps
from .house import ENGINES, House, databases
from .kills import killed
from .postgres import Mortal

KILLS = 2
SEED = 1597


@pytest.mark.parametrize("engine", ENGINES)
async def test_nothing_acknowledged_is_lost(
    keeps: Keeps, tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    """Each acknowledged message is in both logs exactly once and in order, in the archive, and is delivered."""

    def postgres() -> Mortal:
        server: Mortal = request.getfixturevalue("postgres")
        return server

    house = keeps(House(tmp_path, databases(engine, tmp_path, postgres)))
    await house.start()
    figures = await killed(house, engine, SEED, KILLS)
    await house.stop()
    assert figures.findings is not None
    assert figures.findings.faults == {}
    assert figures.findings.acknowledged > 0
    assert len(figures.kills) == KILLS
