"""The server under attack, and what attacks and bystanders do."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, Final

from tests.e2e.cast import PASSWORD, Cast
from tests.e2e.deployment import CAPULET, Single
from tests.e2e.raw import CLIENT, STANZAS, STREAM, Ended, Raw
from tests.e2e.settings import Options

DIRECTED: Final = 30
"""To how many addresses a session may show itself."""

ROSTER_ITEMS: Final = 20
SESSIONS: Final = 4
GUESSES: Final = 5
"""How many wrong passwords for one account are answered at once."""

LIMITS: Final[Options] = {
    "connections_per_address": 10_000,
    "roster_items": ROSTER_ITEMS,
    "sessions_per_account": SESSIONS,
    "send_buffer": "64 KiB",
    "login_failures_per_address": 100_000,
    "login_failures_per_account": GUESSES,
    "login_delay": "100ms",
    "login_delay_limit": "1s",
}


class Fortress(Single):
    """One process with limits that tests can reach.

    :param limits: those that differ.
    """

    def __init__(self, folder: Path, **limits: Any) -> None:
        super().__init__(folder)
        (node,) = self.nodes
        node.tables["limits"] = LIMITS | limits
        node.tables["modules.presence"] = {"directed": DIRECTED}
        listeners = node.tables["listeners"]
        assert isinstance(listeners, list)
        node.roles.append("clear")
        listeners.append(
            {"address": "127.0.0.1", "port": 0, "kind": "c2s", "tls": "optional", "scram_without_tls": True}
        )
        node.write()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.nodes[0].running.pid

    def forgets_peak(self) -> int:
        """Look for the highest memory anew from here on (proc(5), clear_refs); return what is resident now, in KiB."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self.peak()

    def peak(self) -> int:
        """Return the highest resident memory since then, in KiB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


class Siege(Cast):
    """People who mean harm, and some who do not."""

    deployment: Fortress

    async def clear_session(self, name: str, buffer: int | None = None) -> Raw:
        """Return a session without TLS, where single bytes are cheap to send; `buffer` is what the kernel holds unread."""
        jid = self.account(name)
        raw = await self.raw("clear", buffer=buffer)
        await raw.opens(CAPULET)
        assert await raw.authenticates("SCRAM-SHA-1", jid.partition("@")[0], PASSWORD) == "success"
        await raw.binds(CAPULET)
        return raw

    async def bystander(self) -> Raw:
        """Return a session of somebody who only wants to be served."""
        return await self.session("benvolio")


async def pours(raw: Raw, data: bytes, size: int = 65_536) -> None:
    """Send data in pieces, as long as the server takes them."""
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(data), size):
            await raw.sends(data[start : start + size])


async def provokes(raw: Raw, data: bytes, size: int = 65_536) -> str:
    """Send what must not be sent; return the condition of the stream error."""
    sending = asyncio.ensure_future(pours(raw, data, size))
    try:
        return await raw.receives_stream_error()
    finally:
        sending.cancel()


async def turns_during(bystander: Raw, attack: Coroutine[Any, Any, Any]) -> int:
    """Return how many pings of a bystander are answered before an attack is over; it is waited for."""
    attacking = asyncio.ensure_future(attack)
    turns = 0
    while not attacking.done():
        await bystander.pings(CAPULET)
        turns += 1
    await attacking
    return turns


async def floods(raw: Raw, data: bytes) -> list[str]:
    """Send stanzas and a ping behind them, reading what comes; return the conditions of the errors before the pong."""
    sending = asyncio.ensure_future(pours(raw, data + barrier("flood")))
    conditions = []
    try:
        while (answer := await raw.receives()).get("id") != "flood":
            if (condition := condition_of(answer)) is not None:
                conditions.append(condition)
    except Ended:
        conditions.append("ended")
    await sending
    return conditions


def barrier(ident: str) -> bytes:
    """Return a ping."""
    return f"<iq id='{ident}' type='get' to='{CAPULET}'><ping xmlns='urn:xmpp:ping'/></iq>".encode()


def condition_of(stanza: Any) -> str | None:
    """Return the condition of a stanza error or a stream error; None if it is none."""
    if stanza.tag == f"{STREAM}error":
        return str(stanza[0].tag.rpartition("}")[2])
    error = stanza.find(f"{CLIENT}error")
    if error is None:
        return None
    return next((child.tag.removeprefix(STANZAS) for child in error if child.tag.startswith(STANZAS)), None)


def numbered(form: str, numbers: Iterable[int]) -> bytes:
    """Return one stanza for each number."""
    return "".join(form.format(n=number) for number in numbers).encode()
