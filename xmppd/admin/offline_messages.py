"""`offline count`: messages that wait for delivery."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from ..core.commands import Table, argument, command
from ..core.host import Hosts
from ..protocol.jid import Jid
from .addresses import local_account, local_host

if TYPE_CHECKING:
    from ..core.inbox import Inboxes
    from ..core.log_survey import LogSurvey
    from ..core.message_log import MessageLog

MOST: Final = 10_000


@dataclass(slots=True)
class OfflineCommands:
    """Messages that wait for delivery."""

    log: "MessageLog"
    survey: "LogSurvey"
    inboxes: "Inboxes"
    hosts: Hosts

    @command("offline count", offline=True, scoped=True)
    async def count(
        self,
        account: Annotated[Jid | None, argument("This account only")] = None,
        host: Annotated[str | None, argument("Accounts of this host only")] = None,
        limit: Annotated[int, argument("How many accounts at most")] = 20,
    ) -> Table:
        """Count the messages that wait for accounts; those with most of them come first."""
        self.inboxes.write()  # so that the log knows what is delivered up to now
        await self.log.flush()
        if account is not None:
            waiting = await self.log.count_waiting(local_account(account, self.hosts))
            return _table([(account, waiting)])
        if host is not None:
            local_host(host, self.hosts)
        return _table(await self.survey.most_waiting(max(1, min(limit, MOST)), host))


def _table(found: Sequence[tuple[Jid, int]]) -> Table:
    return Table(("account", "waiting"), found)
