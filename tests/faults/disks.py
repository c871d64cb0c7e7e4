"""An SQLite database that cannot be written: its disk is full, or another program keeps it locked."""

import asyncio
import sqlite3
from typing import Final

from .archive import read_archive
from .house import House, SqliteFile
from .outages import Outage, Scene
from .people import Recipient
from .small_disk import SmallHouse
from .stream import HOST

NAMES: Final = ("sampson", "gregory", "abram", "balthasar", "juliet", "nurse", "tybalt")
PADDING: Final = 2000
"""Characters of each message, so that files grow."""


async def is_full(house: SmallHouse, seed: int) -> Outage:
    """The disk fills up, and room is made again."""
    scene = Scene(house, NAMES, (), seed, PADDING)

    async def fill() -> None:
        await asyncio.to_thread(house.fill)

    async def empty() -> None:
        await asyncio.to_thread(house.empty)

    return await scene.plays("disk full", fill, empty, lambda: goes_on(house, scene))


async def is_locked(house: House, seed: int) -> Outage:
    """Another program holds the lock that a writer needs; everybody may still read."""
    scene = Scene(house, NAMES, (), seed)
    (database,) = house.databases
    assert isinstance(database, SqliteFile)
    other = sqlite3.connect(database.file, isolation_level=None, timeout=60)

    async def lock() -> None:
        other.execute("BEGIN IMMEDIATE")

    async def unlock() -> None:
        other.execute("ROLLBACK")

    try:
        return await scene.plays("locked", lock, unlock, lambda: goes_on(house, scene))
    finally:
        other.close()


async def goes_on(house: House, scene: Scene) -> None:
    """Use what needs no room: pings, presence from one to another, a login, the archive."""
    juliet, nurse = scene.recipients[0], scene.recipients[1]
    for _ in range(10):
        await _says(scene, juliet, f"<iq id='ping' type='get' to='{HOST}'><ping xmlns='urn:xmpp:ping'/></iq>", "pong")
        await _says(scene, juliet, f"<presence to='{nurse.jid}/{nurse.resource}'/>", "presence")
    assert await read_archive(house, NAMES[-3])


async def _says(scene: Scene, who: Recipient, stanza: str, awaited: str) -> None:
    assert who.stream is not None, "nobody was thrown out"
    who.stream.sends(stanza)
    await scene.ledger.reaches(awaited, 1)
