"""`log stats`, `writers`, `retention`, `purge` and `export`: the message log, looked at and looked after."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from ..core.clock import Clock
from ..core.commands import CommandError, Exit, Fields, Row, Table, argument, command
from ..core.host import Host, Hosts
from ..core.results import moment
from ..protocol.jid import Jid
from .addresses import chosen_hosts, local_account, local_host
from .moments import moment_named

if TYPE_CHECKING:
    from ..core.inbox import Inboxes
    from ..core.log_survey import Extent, LogSurvey, Rate, ShardFigures
    from ..core.message_log import MessageLog

WhoseAccount = Annotated[Jid | None, argument("The messages of this account only")]
WhoseHost = Annotated[str | None, argument("The messages of this host's accounts only")]


@dataclass(slots=True)
class MessageLogCommands:
    """The log of messages.

    :ivar inboxes: its readers here; with the server down there are none.
    """

    log: "MessageLog"
    survey: "LogSurvey"
    inboxes: "Inboxes"
    hosts: Hosts
    clock: Clock

    @command("log stats", offline=True, scoped=True)
    async def stats(self, account: WhoseAccount = None, host: WhoseHost = None) -> Table | Fields:
        """Show how many messages are kept, since when, what they take, and how many wait.

        Without an account or a host it shows each shard. What is not exact is an estimate. The size of an account or a
        host is that of its messages, that of a shard what it takes on disk.
        """
        self.inboxes.write()  # so that the log knows what is delivered up to now
        await self.log.flush()
        if account is not None:
            self._check(account, host)
            extent, waiting = await self.survey.of_owner(account), await self.log.count_waiting(account)
            return _fields(account, extent, waiting, local_host(account.domainpart, self.hosts))
        if host is not None:
            chosen = local_host(host, self.hosts)
            return _fields(host, await self.survey.of_host(host), await self.survey.waiting(host), chosen)
        return shards_table(await self.survey.shards(), self.clock.seconds())

    @command("log writers")
    async def writers(self) -> Table:
        """Show how this process stores messages: what waits for each shard, and its commits since the start.

        A commit is a batch of rows; its time is that in the database. Of all together it is the time from handing a
        batch over to the answer, which is what senders wait for.
        """
        return writers_table(await self.survey.shards(), self.survey.rate())

    @command("log retention", offline=True, scoped=True)
    async def retention(self, host: Annotated[str | None, argument("This host only")] = None) -> Table:
        """Show for how long each host keeps messages, and how old its oldest one is.

        What is too old is removed once a day, so the oldest message may be a day older than it should be. What is
        kept without a limit is kept for ever. The options are `store` and `retention` of a host.
        """
        now = self.clock.seconds()
        rows = []
        for chosen in chosen_hosts(host, self.hosts):
            extent = await self.survey.of_host(chosen.name)
            rows.append([chosen.name, chosen.stores, chosen.retention, age(extent.first, now), extent.rows])
        columns = ("host", "stores", "kept_for", "oldest", "messages")
        return Table(columns, rows, units={"kept_for": "s", "oldest": "s"})

    @command("log purge", offline=True, danger=True, scoped=True)
    async def purge(
        self,
        account: Annotated[Jid | None, argument("Messages of this account")] = None,
        host: Annotated[str | None, argument("Messages of all accounts of this host")] = None,
        before: Annotated[str | None, argument("Older than an age (30d), a day or a time; all if not given")] = None,
    ) -> AsyncIterator[Row]:
        """Remove kept messages for good, those that wait among them.

        They are removed a few at a time, so that nothing is held up meanwhile. What other people keep of the same
        conversations stays with them. It can be interrupted: what is removed by then is gone.
        """
        from .log_purge import Purge

        limit = None if before is None else moment_named(before, self.clock.seconds())
        purge = Purge(self.log, self.survey, self.inboxes, limit)
        if account is not None:
            self._check(account, host)
            steps = purge.account(account)
        elif host is not None:
            steps = purge.host(local_host(host, self.hosts).name)
        else:
            raise CommandError("whose messages?", "name an account or a host", Exit.USAGE)
        async for row in steps:
            yield row

    @command("log export", offline=True, scoped=True)
    async def export(
        self,
        account: Annotated[Jid, argument("The account")],
        file: Annotated[str, argument("The file to write; it must not exist")],
    ) -> AsyncIterator[Row]:
        """Write an account's archive to a file, as XML (XEP-0227), one message in each line.

        Only its owner can read the file: it holds all that was said. Messages that no archive shows are left out.
        """
        from .log_export import lines

        messages = 0
        async for line in lines(self.log, local_account(account, self.hosts)):
            messages += line.startswith("<result ")
            yield {"line": line}
        yield {"sentence": f"{messages} message{'s' * (messages != 1)} of {account} written", "messages": messages}

    def _check(self, account: Jid, host: str | None) -> None:
        local_account(account, self.hosts)
        if host is not None and account.domainpart != host:
            raise CommandError(f"{account} is no account of {host}", code=Exit.USAGE)


def age(moment: float | None, now: float) -> float | None:
    """Return how long ago a time was, in seconds."""
    return None if moment is None else max(0.0, round(now - moment, 1))


def shards_table(shards: "Sequence[ShardFigures]", now: float) -> Table:
    """Return what each shard has."""
    rows = [
        (
            figures.shard, figures.extent.rows, figures.extent.is_exact, figures.extent.size,
            age(figures.extent.first, now), age(figures.extent.last, now), figures.waiting,
        )
        for figures in shards
    ]  # fmt: skip
    columns = ("shard", "rows", "exact", "size", "oldest", "newest", "waiting")
    return Table(columns, rows, units={"size": "B", "oldest": "s", "newest": "s"})


def writers_table(shards: "Sequence[ShardFigures]", rate: "Rate") -> Table:
    """Return what this process writes to each shard; how many rows a batch has is counted for all of them together."""
    batch = round(rate.rows / rate.batches, 1) if rate.batches else None
    rows: list[Sequence[object]] = [
        (figures.shard, figures.queued, figures.commits, batch if len(shards) == 1 else None, _each(figures))
        for figures in shards
    ]
    each = round(rate.seconds / rate.batches, 4) if rate.batches else None
    rows.append(("all", sum(figures.queued for figures in shards), rate.batches, batch, each))
    return Table(("shard", "queued", "commits", "rows_each", "time_each"), rows, units={"time_each": "s"})


def _each(figures: "ShardFigures") -> float | None:
    return round(figures.seconds / figures.commits, 4) if figures.commits else None


def _fields(of: str, extent: "Extent", waiting: int, host: Host) -> Fields:
    values = {
        "of": of,
        "messages": extent.rows,
        "exact": extent.is_exact,
        "size": extent.size,
        "first": moment(extent.first),
        "last": moment(extent.last),
        "waiting": waiting,
        "stores": host.stores,
        "kept_for": host.retention,
    }
    return Fields(values, units={"size": "B", "kept_for": "s"})
