"""A rehearsal: what the server would do with one stanza, done by its own code, to nobody and for nothing.

A second node is put together from the same configuration, the same modules and the same databases, with stand-ins where
something would leave it: sessions are doubles whose wires end in a trace, what is written to a database is undone in
the same transaction, other servers and services are not there, clocks do not ring, administrative commands are not
run. So nothing here has to know what the handlers do, and what is noted is what they do.

What a handler writes it does not find again in the database, within the same rehearsal: it was undone already.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..core.administration import Administration
from ..core.discovery import LoadError
from ..core.doubles import Doubles
from ..core.drive import waited
from ..core.hooks import Hooks
from ..core.host import Hosts
from ..core.iq import Iqs
from ..core.router import NoRemote, Router, may_be_answered
from ..core.sessions import Sessions
from ..core.trace import Step, Trace, TracedHooks, TracedIqs, TracedRouter
from ..modules.roster.api import Rosters
from ..protocol.errors import StanzaError
from ..protocol.jid import Jid
from ..protocol.stanza import Stanza
from ..storage.accounts import SqlAccounts
from .node import Node
from .relations import changes
from .stand_ins import Borrowed, Elsewhere, Still, Undone, Unmoved, Unwritten


async def rehearse(live: Node, stanza: Stanza) -> Sequence[Step]:
    """Return what `live` would do with a stanza: each step of each handler, and what comes of it."""
    trace = Trace()
    stage = Stage(live, trace)
    await stage.begin()
    try:
        await stage.play(stanza)
    finally:
        trace.is_open = False
        await stage.node.loader.stop_all()
    return trace.steps


class Stage:
    """One rehearsal."""

    def __init__(self, live: Node, trace: Trace) -> None:
        self._live = live
        self._trace = trace
        self._later: deque[Callable[[], None]] = deque()
        shards, clock = Undone(live.shards, trace), Still(live.clock)
        accounts = SqlAccounts(shards, clock)
        self.node = Rehearsing(
            live.config,
            shards,
            accounts,
            Unwritten(live.log, trace, clock, self._later.append),
            clock,
            self._later.append,
            live.in_thread,
            live.secret,
            live=live,
            trace=trace,
        )

    async def begin(self) -> None:
        """Load what runs."""
        loader = self.node.loader
        loader.known.update(self._live.loader.known)
        for name in self._live.loader.loaded:
            try:
                if not loader.known[name].rehearses:
                    raise LoadError("it does more than the core knows of")
                await loader.load(name)
            except LoadError as error:
                self._trace.note(f"takes no part in this: {error}", name)

    async def play(self, stanza: Stanza) -> None:
        """Let a stanza come, from a client or from elsewhere, and see what comes of it."""
        rosters: Rosters | None = self.node.loader.offered(Rosters)  # type: ignore[type-abstract]
        owners = self._local(stanza)
        before = [await rosters.get(owner) for owner in owners] if rosters else []
        try:
            await self._come(stanza)
        except StanzaError as error:
            self._trace.note(_answer(stanza, error))
        while self._later:
            self._later.popleft()()
        after = [await rosters.get(owner) for owner in owners] if rosters else []
        for old, new in zip(before, after, strict=True):
            for change in changes(old, new):
                self._trace.note(change, "roster")

    def _local(self, stanza: Stanza) -> list[Jid]:
        ends = [jid for jid in (stanza.from_, stanza.to) if jid is not None and jid.localpart]
        return list(dict.fromkeys(jid.bare for jid in ends if jid.domainpart in self.node.hosts))

    async def _come(self, stanza: Stanza) -> None:
        node, sender = self.node, stanza.from_
        if sender.domainpart not in node.hosts:
            self._trace.note(f"{sender} is not of this server")
            await node.router.route(stanza)
            return
        if self._live.sessions.at(sender) is None:
            self._trace.note(f"{sender} is not connected; this is what would be if it had just logged in")
        assert isinstance(node.sessions, Doubles)
        await waited(node.router.from_client(node.sessions.enter(sender), stanza))


def _answer(stanza: Stanza, error: StanzaError) -> str:
    if may_be_answered(stanza):
        return f"answers {stanza.from_} with the error {error}"
    return f"ends with the error {error}, of which {stanza.from_} is not told"


@dataclass(kw_only=True)
class Rehearsing(Node):
    """A node whose stanzas go nowhere, and that notes where they would go.

    :ivar live: the node that it is like.
    """

    live: Node
    trace: Trace = field(default_factory=Trace)

    def _make_hall(self) -> tuple[Hosts, Sessions, Hooks, Iqs]:
        hooks, iqs = TracedHooks(self.trace, self.clock), TracedIqs(self.trace, self.clock)
        return self.live.hosts, Doubles(self.trace, self.live.sessions), hooks, iqs

    def _make_router(self) -> Router:
        router = TracedRouter(
            self.trace, self.hosts, self.sessions, self.hooks, self.iqs, self.accounts, self.log, self.clock
        )
        router.remote = NoRemote() if isinstance(self.live.router.remote, NoRemote) else Elsewhere()
        return router

    def _make_administration(self) -> Administration:
        return Unmoved(Borrowed(self.live.registry), self.authority, self.trace)
