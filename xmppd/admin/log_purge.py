"""Removing messages of an account or a host, step by step, with word of how far it is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from ..core.commands import Row
from ..core.inbox import Inboxes
from ..core.log_survey import LogSurvey
from ..core.message_log import MessageLog, id_at
from ..protocol.jid import Jid

STEP: Final = 5000
"""Rows between two words of how far it is; the log removes fewer at a time."""

NEVER: Final = (1 << 63) - 1
"""An id above all others."""


@dataclass(slots=True)
class Purge:
    """One removal.

    :ivar limit: only what is older than this, in seconds since the epoch; None for all.
    :ivar removed: how many rows are gone.
    """

    log: MessageLog
    survey: LogSurvey
    inboxes: Inboxes
    limit: float | None = None
    removed: int = field(default=0, init=False)

    @property
    def before(self) -> int:
        """The id below which rows go."""
        return NEVER if self.limit is None else id_at(self.limit)

    async def account(self, account: Jid) -> AsyncIterator[Row]:
        """Remove an account's rows; yield how many of how many are gone, and a sentence at the end."""
        total = await self.survey.count(account, self.before)
        async for _ in self._steps(account):
            yield {"progress": self.removed, "of": max(total, self.removed)}
        yield self._done(f"of {account}")

    async def host(self, host: str) -> AsyncIterator[Row]:
        """Remove the rows of all accounts of a host; yield how many of how many accounts are done."""
        total = len([owner async for owner in self.survey.owners(host)])
        done = 0
        async for owner in self.survey.owners(host):
            async for _ in self._steps(owner):
                yield {"progress": done, "of": max(total, done)}
            done += 1
            yield {"progress": done, "of": max(total, done)}
        yield self._done(f"of {done} account{'s' * (done != 1)} of {host}")

    async def _steps(self, owner: Jid) -> AsyncIterator[int]:
        """Remove an owner's rows, some at a time."""
        end = self.before
        while True:
            upto = await self.survey.behind(owner, STEP, end)
            gone = await self.log.purge(owner, upto)
            self.removed += gone
            yield gone
            if upto == end:
                break
        await self._forget_waiting(owner, end)

    async def _forget_waiting(self, owner: Jid, end: int) -> None:
        """Let the account's readers here wait no more for what is gone."""
        self.inboxes.write()  # so that the log knows what they wait for
        position = await self.log.position(owner)
        for id in position.open:
            if id < end and self.inboxes.is_open(owner, id):
                self.inboxes.delivered(owner, id)

    def _done(self, whose: str) -> Row:
        text = f"{self.removed} message{'s' * (self.removed != 1)} {whose} removed"
        return {"sentence": text, "removed": self.removed}
