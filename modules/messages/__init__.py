"""RFC 6121, 8.5: messages go to the resources of local accounts.

`api` has the table that says which of them get a message. This module obeys it: it writes to the sessions, and where
nobody takes a message it asks whether somebody keeps it. A message with a row in the account's log is kept already: it
waits there, and its sender never sees an error.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from xmppd.core.events import Delivering, Distributing, Undelivered
from xmppd.core.hooks import Hooks, Phase, Ruling, Verdict, on
from xmppd.core.module import Module
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.protocol.errors import ServiceUnavailable, StanzaError

from .api import TO_NOBODY, Distribution, Fate, distribution, receivers, without_named


@dataclass(slots=True)
class Messages(Module):
    """Delivers messages to the resources of local accounts."""

    name: ClassVar = "messages"

    hooks: Hooks
    router: Router
    sessions: Sessions

    @on(Distributing, Phase.DELIVER)
    def deliver(self, event: Distributing) -> Ruling:
        """8.5: to one resource, to all, to nobody.

        :raises ServiceUnavailable: nobody has it and nobody keeps it.
        """
        stanza, sessions = event.stanza, self.sessions.of(event.account)
        if self.hooks.wants(Delivering):
            return self._deliver(event, distribution(stanza, sessions))
        taken = False
        for session in receivers(stanza, sessions):
            if self.router.write(session, stanza, event.row):
                taken = True
        return Verdict.HANDLED if taken else self._not_taken(event, distribution(stanza, sessions).fate)

    async def _deliver(self, event: Distributing, found: Distribution) -> Verdict:
        if await self._write(event, found.sessions):
            return Verdict.HANDLED
        return await self._not_taken(event, found.fate)

    async def _not_taken(self, event: Distributing, fate: Fate) -> Verdict:
        """See to what those that it is for did not take, as they were then."""
        stanza, account = event.stanza, event.account
        if fate is Fate.RESOURCE:  # which does not take anything any more
            fate, sessions = without_named(stanza, self.sessions.of(account))
            if await self._write(event, sessions):
                return Verdict.HANDLED
        return await self._settle(event, TO_NOBODY[stanza.type] if fate is Fate.ALL else fate)

    async def _write(self, event: Distributing, sessions: Sequence[Session]) -> bool:
        """Return whether any of them took it."""
        taken = False
        for session in sessions:
            if await self.router.deliver(session, event.stanza, event.row):
                taken = True
        return taken

    async def _settle(self, event: Distributing, fate: Fate) -> Verdict:
        """Settle what nobody took."""
        if fate is Fate.IGNORE:
            return Verdict.DROP
        verdict = await self._later(event) if fate is Fate.LATER else None
        if verdict is None:
            raise ServiceUnavailable()
        return verdict

    async def _later(self, event: Distributing) -> Verdict | None:
        undelivered = Undelivered(event.account, event.stanza, event.row)
        if not event.row:
            return await self.hooks.decide(undelivered)
        with suppress(StanzaError):  # it is stored: who cannot push it has told the log, and the sender need not know
            await self.hooks.decide(undelivered)
        return Verdict.HANDLED
