"""A batch that lands behind the death of the node that sent it: PostgreSQL goes on with what it was told to do."""

import asyncio
from pathlib import Path
from random import Random

from .conftest import Keeps
from .house import House, PostgresDatabase
from .kills import examined
from .ledger import Ledger
from .people import Recipient, Sender
from .postgres import Mortal
from .stream import HOST


async def test_batch_lands_behind_the_restart(keeps: Keeps, tmp_path: Path, postgres: Mortal) -> None:
    """Repetitions come before the batch that they repeat is committed; each message still has one row."""
    house = keeps(House(tmp_path, [PostgresDatabase(postgres)]))
    await house.start()
    await house.admits("romeo", "juliet")
    ledger = Ledger()
    juliet = Recipient(house, "juliet", ledger)
    romeo = Sender(house, "romeo", ledger, [f"juliet@{HOST}"], Random(0))
    romeo.is_discouraged = True  # he sends when he is told to
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(person.lives()) for person in (juliet, romeo)]
        await ledger.comes_to("logins", 2)
        first = romeo.sends_one()
        assert romeo.stream is not None
        romeo.stream.asks()
        await ledger.answers(first)
        postgres.stall_commits(stalls=True)
        try:
            while not await asyncio.to_thread(postgres.waiting, "SyncRep"):
                romeo.sends_one()
            await house.kill()
            starting = group.create_task(house.start())
            while not await asyncio.to_thread(postgres.waiting, "Lock"):
                assert not starting.done(), "it started before the batch has ended"
        finally:
            postgres.stall_commits(stalls=False)
        await starting
        await romeo.finishes()
        await ledger.is_paid()
        for person in (juliet, romeo):
            person.leaves()
        await asyncio.gather(*tasks)
    findings = await examined(house, ledger, [romeo.jid, juliet.jid], ["juliet"])
    assert findings.faults == {}
    await house.stop()
