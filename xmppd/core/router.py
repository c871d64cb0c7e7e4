"""Where a stanza goes: a local account, a local host, a local service, or a remote domain.

The router knows RFC 6120, 10 and nothing else: what becomes of a stanza at an account is decided by the handlers of the
`Inbound*` events. A handler never awaits a remote server, nor a commit: a message that is kept goes its own way from
there on (`kept_messages`), and what its sender sends behind it waits for it in the session's gate.

Most of what a server does is to move messages between clients, and nearly none of them waits for anything. So the
steps of their road are plain methods, each calling the next. One that has to wait returns what is to be awaited: the
rest of the road is in that (`behind`).
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from ..protocol.element import Element
from ..protocol.errors import BadRequest, FeatureNotImplemented, RemoteServerNotFound, ServiceUnavailable, StanzaError
from ..protocol.jid import Jid
from ..protocol.stanza import Stanza
from .accounts import Accounts
from .clock import Clock
from .drive import waited
from .events import (
    Delivering,
    Distributing,
    InboundIq,
    InboundMessage,
    InboundPresence,
    MessageSent,
    OutboundIq,
    OutboundMessage,
    OutboundPresence,
    ServiceMessage,
    ServicePresence,
    StanzaReceived,
)
from .gate import Barrier
from .hooks import Hooks, Pending, Verdict
from .host import Host, Hosts
from .inbox import Inboxes
from .iq import IqRequest, Iqs, Target
from .kept_messages import KeptMessages
from .message_log import MessageLog
from .session import Session
from .sessions import Sessions
from .shards import StorageUnavailable


class Service(Protocol):
    """Something that has a domain of its own here: rooms, pubsub, a component."""

    async def receive(self, stanza: Stanza) -> None:
        """Take a stanza for the domain; raise the `StanzaError` to answer with."""


class Remote(Protocol):
    """The way to other servers."""

    async def send(self, stanza: Stanza) -> None:
        """Queue a stanza for its domain; never waits for the other server. Raises the `StanzaError` to answer with."""


class NoRemote:
    """A server that is not federated."""

    async def send(self, stanza: Stanza) -> None:
        """Refuse."""
        raise RemoteServerNotFound("this server does not talk to other servers")


class Router:
    """Moves stanzas.

    :ivar remote: the way to other servers.
    :ivar inboxes: the readers of the accounts' logs.
    :ivar kept: the way of messages that have rows there.
    """

    def __init__(
        self,
        hosts: Hosts,
        sessions: Sessions,
        hooks: Hooks,
        iqs: Iqs,
        accounts: Accounts,
        log: MessageLog,
        clock: Clock,
    ) -> None:
        self.hosts = hosts
        self.sessions = sessions
        self.hooks = hooks
        self.iqs = iqs
        self.accounts = accounts
        self.inboxes = Inboxes(log, sessions, clock, hooks.faults)
        self.kept = KeptMessages(log, self.inboxes, hooks, clock, self.distribute, self.refuse)
        self.remote: Remote = NoRemote()
        self._services: dict[str, Service] = {}

    # Services

    def add_service(self, domain: Jid, service: Service) -> None:
        """Let `service` take what is addressed to `domain`."""
        if domain in self.hosts or domain in self._services:
            raise ValueError(f"{domain} is taken")
        self._services[domain] = service

    def remove_service(self, domain: Jid) -> None:
        """Take nothing for `domain` any more."""
        self._services.pop(domain, None)

    def services(self) -> list[str]:
        """Return the domains of all services."""
        return list(self._services)

    def domains(self) -> frozenset[str]:
        """Return all domains that are ours: hosts and services."""
        return frozenset([*(host.name for host in self.hosts.all()), *self._services])

    # From a client

    def from_client(self, session: Session, stanza: Stanza) -> Pending:
        """Take a stanza that a bound client sent, its `from_` set; return what is to be awaited, if anything is.

        :raises StanzaError: what to answer with; it is raised here, or when the result is awaited.
        """
        if stanza.kind != "message":
            if session.gate.waits and self._held(session, stanza):
                return session.gate.room()
            return self.take_held(session, stanza)
        if self.hooks.wants(StanzaReceived):
            return self._receive(session, stanza)
        return self._message_leaves(session, stanza)

    async def take_held(self, session: Session, stanza: Stanza) -> None:
        """Take a stanza that is no message and has waited in the gate, or need not; raise as `from_client`."""
        received = await self._received(session, stanza)
        if received is not None:
            if stanza.kind == "iq":
                await self._iq_leaves(session, received)
            else:
                await self._outbound(OutboundPresence(session, received))

    async def _receive(self, session: Session, stanza: Stanza) -> None:
        """Take a message that somebody wants to see first."""
        received = await self._received(session, stanza)
        if received is not None:
            await waited(self._message_leaves(session, received))

    async def _received(self, session: Session, stanza: Stanza) -> Stanza | None:
        """Return what is left of a stanza by who sees it first."""
        if not self.hooks.wants(StanzaReceived):
            return stanza
        event = StanzaReceived(session, stanza)
        return None if await self.hooks.decide(event) is not None else event.stanza

    async def _iq_leaves(self, session: Session, stanza: Stanza) -> None:
        if stanza.to is None:
            stanza.to = session.account  # RFC 6120, 10.3.3
        if stanza.to.resourcepart or stanza.to.domainpart not in self.hosts:
            await self._outbound(OutboundIq(session, stanza))
        elif await self._may_ask(session, stanza):
            await self._iq_to_us(stanza, session)

    async def _may_ask(self, session: Session, stanza: Stanza) -> bool:
        """Whether a request leaves its sender's account: a host and the own account are not elsewhere."""
        to = stanza.to
        assert to is not None
        is_elsewhere = bool(to.localpart) and to != session.account
        return not is_elsewhere or await self.hooks.decide(OutboundIq(session, stanza)) is None

    def _held(self, session: Session, stanza: Stanza) -> bool:
        """Let a stanza wait behind the messages that it must not overtake, if there are any (RFC 6120, 10.1)."""
        gate, to = session.gate, stanza.to
        if to is None and stanza.kind == "presence":
            lanes = gate.lanes()
        else:
            lane = gate.lane_of(session.account if to is None else to.bare)
            lanes = [] if lane is None else [lane]
        if not lanes:
            return False
        held = _Held(self, session, stanza, gate.begin(len(stanza.to_bytes())))
        if len(lanes) == 1:
            lanes[0].push(held)
        else:
            Barrier(lanes, held)
        return True

    async def _outbound(self, event: OutboundPresence | OutboundIq) -> None:
        if await self.hooks.decide(event) is None and event.stanza.to is not None:
            await self.route(event.stanza)

    # A message of a client's

    def _message_leaves(self, session: Session, stanza: Stanza) -> Pending:
        """Ask the sender's account."""
        if stanza.to is None:
            stanza.to = session.account  # RFC 6120, 10.3.1
        event = OutboundMessage(session, stanza)
        ruling = self.hooks.begin(event)
        if ruling is None:
            return self._message_goes(event)
        return None if isinstance(ruling, Verdict) else behind(ruling, self._message_goes, event)

    def _message_goes(self, event: OutboundMessage) -> Pending:
        """Move a message that may leave."""
        session, stanza = event.sender, event.stanza
        to = stanza.to
        assert to is not None, "a message has an addressee when it leaves"
        copy = event.keep & ~event.veto
        if not to.localpart or to.domainpart not in self.hosts:
            return self._message_leaves_us(session, stanza, copy)
        pending = self.message_comes(to.bare, stanza, session, copy)
        if not session.gate.weight:
            return pending
        if pending is not None:
            return self._make_room(session, pending)
        return self.kept.room(session)  # so that nothing more is read of it

    async def _make_room(self, session: Session, pending: Awaitable[None]) -> None:
        await pending
        await waited(self.kept.room(session))

    async def _message_leaves_us(self, session: Session, stanza: Stanza, copy: int) -> None:
        """Move a message to somebody who has no account here; whoever takes it sees to the rest."""
        await self.route(stanza, session, copy)
        if session.gate.weight:
            await waited(self.kept.room(session))
        assert stanza.to is not None, "it was routed"
        if copy:
            if self.kept.resending.must_learn(session, stanza.to.bare):
                await self._learn(session, session.account, stanza.to.bare)
            self.kept.keep(stanza, None, session, 0, copy)
        elif self.hooks.wants(MessageSent):
            await self.hooks.notify(MessageSent(session, stanza))

    # From anywhere

    async def route(self, stanza: Stanza, session: Session | None = None, copy: int = 0) -> None:
        """Move a stanza to its addressee; raise the error to answer its sender with.

        :param session: the local session that sent a message, if one did.
        :param copy: the flags of the sender's copy in the log; 0 for none.
        """
        to = stanza.to
        assert to is not None, "a stanza is routed by its address"
        domain = to.domainpart
        host = self.hosts.get(domain)
        if host is None:
            service = self._services.get(domain)
            if service is not None:
                await service.receive(stanza)
            else:
                await self.remote.send(stanza)
        elif to.localpart:
            await self._to_account(to.bare, stanza, session, copy)
        else:
            await self._to_host(host, stanza)

    async def send(self, stanza: Stanza) -> None:
        """Route a stanza of ours, or of somebody who is not there any more; an error goes to nobody."""
        try:
            await self.route(stanza)
        except StanzaError as error:
            await self.answer_error(stanza, error)

    async def broadcast(self, stanza: Stanza, addresses: Iterable[Jid]) -> None:
        """Send presence to each address, as `send` does, whatever goes wrong with one of them.

        An account without a session costs a look-up and no more.
        """
        hosts, sessions, hooks = self.hosts, self.sessions, self.hooks
        for address in addresses:
            if address.localpart and address.domainpart in hosts and not sessions.of(address.bare):
                continue
            try:
                await self.send(stanza.copy(to=address))
            except Exception as error:
                hooks.faults.tell("router.broadcast", "presence", error)

    async def answer_error(self, stanza: Stanza, error: StanzaError) -> None:
        """Answer `stanza` with `error`, unless that may not be: never an error with an error (RFC 6120, 8.3.1)."""
        if not may_be_answered(stanza) or stanza.from_.domainpart not in self.hosts or not stanza.from_.localpart:
            return
        session = self.sessions.at(stanza.from_)
        if session is not None:
            await self.deliver(session, stanza.error(error))

    async def _to_account(self, account: Jid, stanza: Stanza, session: Session | None, copy: int) -> None:
        kind = stanza.kind
        if kind == "message":
            await waited(self.message_comes(account, stanza, session, copy))
        elif kind == "presence":
            if stanza.type in ("", "unavailable") and not self.sessions.of(account):
                return  # nobody to tell, and no need to ask the database
            if stanza.type == "probe" or await self._exists(account):
                await self.hooks.decide(InboundPresence(account, stanza))
        elif stanza.to is not None and stanza.to.resourcepart:
            await self._iq_to_session(account, stanza)
        else:
            await self._iq_to_us(stanza, None)

    def message_comes(
        self, account: Jid, stanza: Stanza, session: Session | None, copy: int, *, exists: bool = False
    ) -> Pending:
        """Ask the account that a message is for; parameters as in `route`.

        :param exists: whether it is known that there is such an account.
        """
        if not exists and not self.sessions.of(account):
            return self._message_comes_to_absent(account, stanza, session, copy)
        event = InboundMessage(account, stanza)
        ruling = self.hooks.begin(event)
        if ruling is None:
            return self._message_is_taken(event, session, copy)
        return None if isinstance(ruling, Verdict) else behind(ruling, self._message_is_taken, event, session, copy)

    async def _message_comes_to_absent(self, account: Jid, stanza: Stanza, session: Session | None, copy: int) -> None:
        if await self._exists(account):
            await waited(self.message_comes(account, stanza, session, copy, exists=True))
        elif stanza.type != "headline":  # which is ignored wherever nobody is (RFC 6121, 8.5.1 and 8.5.2.2.1)
            raise ServiceUnavailable()

    def _message_is_taken(self, event: InboundMessage, session: Session | None, copy: int) -> Pending:
        """Keep a message that may come in, or hand it over at once."""
        account, stanza, keep = event.account, event.stanza, event.keep & ~event.veto
        if keep or copy or (session is not None and session.gate.waits and session.gate.lane_of(account)):
            if session is not None and self.kept.resending.must_learn(session, account):
                return self._keep_behind(event, session, keep, copy)
            self.kept.keep(stanza, account, session, keep, copy)
            return None
        pending = self.distribute(account, stanza, 0)
        if session is None or not self.hooks.wants(MessageSent):
            return pending
        sent = MessageSent(session, stanza)
        return self.hooks.tell(sent) if pending is None else behind(pending, self.hooks.tell, sent)

    async def _keep_behind(self, event: InboundMessage, session: Session, keep: int, copy: int) -> None:
        await self._learn(session, event.account if keep else session.account, event.account)
        self.kept.keep(event.stanza, event.account, session, keep, copy)

    async def _learn(self, session: Session, owner: Jid, peer: Jid) -> None:
        try:
            await self.kept.resending.learn(session, owner, peer)
        except StorageUnavailable as error:
            raise self.hooks.faults.answer("router", "resending", error) from error

    def distribute(self, account: Jid, stanza: Stanza, row: int) -> Pending:
        """Hand a message to the resources of a local account; return what is to be awaited, if anything is.

        :param row: the id of its row, in which it waits if nobody takes it; 0 if it has none.
        :raises StanzaError: what to answer its sender with; it is raised here, or when the result is awaited.
        """
        ruling = self.hooks.begin(Distributing(account, stanza, row))
        if ruling is None:
            return self._nobody_takes(row)
        return None if isinstance(ruling, Verdict) else behind(ruling, self._nobody_takes, row)

    def _nobody_takes(self, row: int) -> Pending:
        if not row:
            raise ServiceUnavailable()
        return None

    async def _exists(self, account: Jid) -> bool:
        """Whether there is such an account; raise `ResourceConstraint` if that cannot be found out now."""
        try:
            return bool(self.sessions.of(account)) or await self.accounts.exists(account)
        except StorageUnavailable as error:
            raise self.hooks.faults.answer("router", "address", error) from error

    async def _to_host(self, host: Host, stanza: Stanza) -> None:
        if stanza.kind == "iq":
            await self._iq_to_us(stanza, None)
        elif stanza.kind == "message":
            if await self.hooks.decide(ServiceMessage(host, stanza)) is None and stanza.type != "error":
                raise ServiceUnavailable()
        else:
            await self.hooks.decide(ServicePresence(host, stanza))

    # IQ

    async def _iq_to_session(self, account: Jid, stanza: Stanza) -> None:
        assert stanza.to is not None
        event = InboundIq(account, stanza)  # first, so that a refusal does not tell whether the resource is there
        if await self.hooks.decide(event) is not None:
            return
        session = self.sessions.at(stanza.to)
        if session is None or not await self.deliver(session, event.stanza):
            raise ServiceUnavailable()  # a request is answered by somebody (RFC 6120, 8.2.3)

    async def _iq_to_us(self, stanza: Stanza, sender: Session | None) -> None:
        """Answer a request to a host or an account; hand an answer to whoever asked."""
        to = stanza.to
        assert to is not None
        if to.localpart and stanza.from_.bare != to and await self.hooks.decide(InboundIq(to, stanza)) is not None:
            return
        if stanza.type in ("result", "error"):
            self.iqs.take_answer(stanza)
            return
        payload = stanza.element.first
        assert payload is not None, "a request has one payload"
        if to.resourcepart and not to.localpart:
            raise FeatureNotImplemented("a host has no resources")
        target = Target.ACCOUNT if to.localpart else Target.HOST
        request = IqRequest(stanza, to, stanza.from_, payload, sender)
        result = await self._answered(request, target)
        answer = stanza.reply("result", *([] if result is None else [result]))
        if sender is not None:
            await self.deliver(sender, answer)
        else:
            await self.send(answer)

    async def _answered(self, request: IqRequest, target: Target) -> Element | None:
        """Return the payload of an answer; an account that does not exist has none for anybody.

        Whether it exists is asked behind a get: one that refuses strangers does so in the same time for any name.
        """
        is_anothers = target is Target.ACCOUNT and not request.is_own
        changes = request.stanza.type == "set"
        if is_anothers and changes and not await self._exists(request.target):
            raise ServiceUnavailable()
        result = await self.iqs.answer(request, target)
        if is_anothers and not changes and not await self._exists(request.target):
            raise ServiceUnavailable()
        return result

    # To a client

    async def deliver(self, session: Session, stanza: Stanza, row: int = 0) -> bool:
        """Write a stanza to one session; return whether it was taken.

        :param row: the id of its row in the account's log. A session that is reading there has it, or will find it.
        """
        if self.hooks.wants(Delivering):
            if row and (session.is_catching_up or row <= session.position):
                return True
            event = Delivering(session, stanza)
            verdict = await self.hooks.decide(event)
            if verdict is not None:
                return verdict is Verdict.HANDLED
            stanza = event.stanza
        return self.write(session, stanza, row)

    def write(self, session: Session, stanza: Stanza, row: int = 0) -> bool:
        """As `deliver`, but nobody is asked; for the hot path, where nobody handles `Delivering`."""
        if row and (session.is_catching_up or row <= session.position):
            return True
        if session.valve is not None and not session.valve.admits(stanza, row):
            return True
        wire = session.wire
        taken = wire.write_stanza(stanza.to_bytes(), row)
        if taken and row and not wire.acknowledges:
            self.inboxes.delivered(session.account, row)
        return taken

    async def refuse(self, session: Session | None, stanza: Stanza, error: StanzaError) -> None:
        """Answer a stanza with an error, behind the turn in which it came.

        :param session: the local session that sent it; None if somebody else did.
        """
        if session is None:
            await self.answer_error(stanza, error)
        elif is_answered(stanza, error):
            session.wire.write_stanza(stanza.error(error).to_bytes())


class _Held:
    """A stanza that waits in its sender's gate."""

    __slots__ = ("_number", "_router", "_session", "_stanza", "is_ready")

    def __init__(self, router: Router, session: Session, stanza: Stanza, number: int) -> None:
        self._router = router
        self._session = session
        self._stanza = stanza
        self._number = number
        self.is_ready = True

    async def run(self) -> None:
        router, session, stanza = self._router, self._session, self._stanza
        try:
            await router.take_held(session, stanza)
        except StanzaError as error:
            await router.refuse(session, stanza, error)
        except Exception as error:
            await router.refuse(session, stanza, router.hooks.faults.answer("router", stanza.kind, error))
        session.gate.settle(self._number)


async def behind(ruling: Awaitable[Verdict | None], step: Callable[..., Pending], *args: Any) -> None:
    """Await what a step of the road waits for; then go on, unless that settles it."""
    if await ruling is None:
        await waited(step(*args))


def is_answered(stanza: Stanza, error: StanzaError) -> bool:
    """Whether a client's stanza is answered with that error."""
    is_wrong = isinstance(error, BadRequest) and stanza.kind == "presence" and stanza.type != "error"
    return is_wrong or may_be_answered(stanza)


def may_be_answered(stanza: Stanza) -> bool:
    """Whether an error may be returned for a stanza."""
    if stanza.type == "error":
        return False
    if stanza.kind == "iq":
        return stanza.type != "result"  # one of a type that does not exist is a request gone wrong
    return stanza.kind == "message" or stanza.type not in ("unavailable", "probe", "unsubscribed")
