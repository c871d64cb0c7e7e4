"""XEP-0133, 4.23 to 4.28: what administrators tell everybody: announcements, messages of the day, welcome messages.

* An announcement goes to every session that there is now, some at a time, so that a large host goes on meanwhile.
* The message of the day comes to each account once, when it next becomes available. Editing it shows it to nobody
  again; setting another one does.
* The welcome message comes to an account that was registered while there was one, when it first becomes available.

Administrators give them as commands, or, as they have always done, by a message to an address of the host, such as
shakespeare.example/announce/online (see `ADDRESSES`). `store` keeps the texts and who has seen them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, ClassVar, Final

from twisted.internet.defer import Deferred

from xmppd.config.schema import option
from xmppd.core.administration import Administration
from xmppd.core.client_stream import ClientContext
from xmppd.core.clock import Clock
from xmppd.core.command_forms import ADMIN
from xmppd.core.commands import Caller, CommandError, Document, Done, Exit, Origin, Table, argument, command
from xmppd.core.events import AccountCreated, AccountRemoved, ServiceMessage
from xmppd.core.hooks import Phase, Verdict, collect, notice, on
from xmppd.core.host import Host, Hosts
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.core.session import Session, SessionKey
from xmppd.core.sessions import Sessions
from xmppd.core.shards import Shards
from xmppd.modules.adhoc.api import CommandForm
from xmppd.modules.presence.api import ResourceAvailable
from xmppd.protocol.element import E
from xmppd.protocol.errors import BadRequest, Forbidden, NotAcceptable, StanzaError
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import CLIENT
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.writer import FORBIDDEN

from .store import AnnouncementStore, Kind, Texts

BODY: Final = f"{{{CLIENT}}}body"
SUBJECT: Final = f"{{{CLIENT}}}subject"
SLICE: Final = 100  # sessions looked at in one turn of the loop
FRESH: Final = 60.0  # seconds after which another node's changes are seen

SEEN: Final = SessionKey("message of the day", -1)
"""The number of the message of the day that a session has asked for; so that asking costs a session one query."""

ADDRESSES: Final = {
    "announce/online": f"{ADMIN}#announce",
    "announce/motd": f"{ADMIN}#set-motd",
    "announce/motd/update": f"{ADMIN}#edit-motd",
    "announce/motd/delete": f"{ADMIN}#delete-motd",
}
"""Resourceparts of a host that administrators send messages to, and the commands that they stand for."""

Where = Annotated[str | None, argument("This host only")]
Announcement = Annotated[Document, argument("Announcement", field="announcement")]
Motd = Annotated[Document, argument("Message of the Day", field="motd")]
Subject = Annotated[str, argument("Its subject")]
Welcome = Annotated[Document, argument("Welcome Message", field="welcome")]


@dataclass(slots=True)
class Config:
    """What may be announced."""

    length: int = option(10_000, ge=100, le=100_000, live=True, help="How many characters an announcement may have.")


@dataclass(slots=True)
class Announcements(Module):
    """Tells everybody what administrators have to say."""

    name: ClassVar = "announcements"
    xeps: ClassVar = (Xep(133, "1.3.1", note="announcements, messages of the day, welcome messages"),)

    administration: Administration
    clients: ClientContext
    clock: Clock
    config: Config
    hosts: Hosts
    router: Router
    sessions: Sessions
    shards: Shards
    _store: AnnouncementStore = field(init=False)
    _known: dict[str, tuple[Texts, float]] = field(default_factory=dict, init=False)
    _changes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._store = AnnouncementStore(self.shards)

    # Commands

    @command("announce online", adhoc=f"{ADMIN}#announce", scoped=True)
    async def announce(self, text: Announcement, subject: Subject = "", host: Where = None) -> Done:
        """Send a message to everybody who is online.

        It goes to all sessions of this node, and to nobody who is not connected now.
        """
        words = self._checked(text), self._checked_subject(subject)
        messages: dict[str, Stanza] = {
            each.name: _message(each.name, "headline", *words) for each in self._chosen(host)
        }
        return Done(f"sent to {await self._send_to_all(messages)} sessions")

    @command("motd set", adhoc=f"{ADMIN}#set-motd", scoped=True)
    async def set_motd(self, text: Motd, subject: Subject = "", host: Where = None) -> Done:
        """Set the message of the day.

        Each account is shown it once, when it next becomes available.
        """
        return await self._put(Kind.MOTD, text, subject, host, again=True)

    @command("motd edit", adhoc=f"{ADMIN}#edit-motd", scoped=True)
    async def edit_motd(self, text: Motd, subject: Subject = "", host: Where = None) -> Done:
        """Edit the message of the day and its subject; nobody who has seen it is shown it again."""
        return await self._put(Kind.MOTD, text, subject, host, again=False)

    @command("motd show", scoped=True)
    async def show_motd(self, host: Where = None) -> Table:
        """Show the message of the day."""
        found = await self._all_texts(host)
        return Table(("host", "subject", "message"), [(name, texts.subject, texts.motd) for name, texts in found])

    @command("motd delete", adhoc=f"{ADMIN}#delete-motd", scoped=True)
    async def delete_motd(self, host: Where = None) -> Done:
        """Delete the message of the day."""
        return await self._clear(Kind.MOTD, host)

    @command("welcome set", adhoc=f"{ADMIN}#set-welcome", scoped=True)
    async def set_welcome(self, text: Welcome, host: Where = None) -> Done:
        """Set the welcome message, which new accounts are shown when they first become available."""
        return await self._put(Kind.WELCOME, text, "", host, again=False)

    @command("welcome show", scoped=True)
    async def show_welcome(self, host: Where = None) -> Table:
        """Show the welcome message."""
        return Table(("host", "message"), [(name, texts.welcome) for name, texts in await self._all_texts(host)])

    @command("welcome delete", adhoc=f"{ADMIN}#delete-welcome", scoped=True)
    async def delete_welcome(self, host: Where = None) -> Done:
        """Delete the welcome message."""
        return await self._clear(Kind.WELCOME, host)

    async def _put(self, kind: Kind, text: str, subject: str, host: str | None, *, again: bool) -> Done:
        text, subject = self._checked(text), self._checked_subject(subject)
        chosen = self._chosen(host)
        for each in chosen:
            await self._store.put(each.name, kind, text, subject, again=again)
            self._changed(each.name)
        return Done(f"set for {_names(chosen)}")

    async def _clear(self, kind: Kind, host: str | None) -> Done:
        cleared = []
        for each in self._chosen(host):
            if await self._store.clear(each.name, kind):
                cleared.append(each)
            self._changed(each.name)
        return Done(f"deleted for {_names(cleared)}" if cleared else "there was none")

    async def _all_texts(self, host: str | None) -> list[tuple[str, Texts]]:
        return [(each.name, await self._store.texts(each.name)) for each in self._chosen(host)]

    def _chosen(self, name: str | None) -> Sequence[Host]:
        """Return the host of that name, or all of them; raise `CommandError` if it is none of ours."""
        if name is None:
            return self.hosts.all()
        host = self.hosts.get(name)
        if host is None:
            raise CommandError(f"{name} is no host of this server", code=Exit.UNKNOWN)
        return [host]

    def _checked(self, text: str) -> str:
        """Return a text as it may be sent, without white space behind it; raise `CommandError` if it may not."""
        text = "\n".join(text.splitlines()).rstrip()
        if not text:
            raise CommandError("there is nothing to tell", code=Exit.USAGE)
        if len(text) > self.config.length:
            raise CommandError(f"at most {self.config.length} characters can be told", code=Exit.USAGE)
        if FORBIDDEN.search(text):
            raise CommandError("there is a character that XML does not allow", code=Exit.USAGE)
        return text

    def _checked_subject(self, subject: str) -> str:
        """Return a subject as it may be sent, which is one line; none is an empty one."""
        return " ".join(self._checked(subject).split()) if subject.strip() else ""

    @collect(CommandForm)
    async def propose(self, event: CommandForm) -> None:
        """Edit Message of the Day, Set Welcome Message: the form includes the one that is set."""
        if event.command.node == f"{ADMIN}#edit-motd":
            texts = await self._store.texts(event.target)
            event.values.update(motd=texts.motd, subject=texts.subject)
        elif event.command.node == f"{ADMIN}#set-welcome":
            event.values["welcome"] = (await self._store.texts(event.target)).welcome

    # Messages to HOST/announce/...

    @on(ServiceMessage, Phase.DELIVER)
    async def take(self, event: ServiceMessage) -> Verdict | None:
        """Run the command that an address stands for, for whoever may run it."""
        stanza = event.stanza
        node = ADDRESSES.get(stanza.to.resourcepart) if stanza.to is not None else None
        if node is None or stanza.type == "error":
            return None
        given: dict[str, object] = {"host": str(event.host.name)}
        if node != f"{ADMIN}#delete-motd":
            given["text"] = stanza.text_of(BODY, "")
            given["subject"] = stanza.text_of(SUBJECT, "")
        await self._run(Caller(Origin.ADHOC, stanza.from_.bare), node, given)
        return Verdict.HANDLED

    async def _run(self, caller: Caller, node: str, given: Mapping[str, object]) -> None:
        found = self.administration.registry.at(node)
        assert found is not None, "a command of this very module"
        try:
            await self.administration.run(caller, found, given)
        except CommandError as error:
            kinds: Mapping[Exit, type[StanzaError]] = {Exit.REFUSED: Forbidden, Exit.USAGE: BadRequest}
            raise kinds.get(error.code, NotAcceptable)(error.text) from None

    # Delivery

    async def _send_to_all(self, messages: Mapping[str, Stanza]) -> int:
        """Send each session the message of its host; return how many took it."""
        sent = 0
        for number, session in enumerate(self.sessions, 1):
            message = messages.get(session.jid.domainpart)
            if message is not None:
                sent += await self._send(session, message)
            if number % SLICE == 0:
                await self._turn()
        return sent

    async def _send(self, session: Session, message: Stanza) -> bool:
        """Send one session a message; what keeps it from one is no reason to keep it from others."""
        try:
            return await self.router.deliver(session, message.copy(to=session.jid))
        except StanzaError:
            return False

    def _turn(self) -> "Deferred[None]":
        """Let the others have their turn of the loop."""
        waiting: Deferred[None] = Deferred()
        self.clients.soon(partial(waiting.callback, None))
        return waiting

    @notice(ResourceAvailable)
    async def greet(self, event: ResourceAvailable) -> None:
        """Give an account what it has not seen; a resource that takes no messages does not stand for it."""
        session = event.session
        if event.was_reachable or session.priority < 0:
            return
        texts = await self._texts(session.account.domainpart)
        if not (texts.motd or texts.welcome) or session[SEEN] >= texts.number:
            return
        session[SEEN] = texts.number
        host = Jid.parse(session.account.domainpart)
        if session.is_anonymous:  # it lives as long as its session, and nothing is kept for it
            motd, welcome = bool(texts.motd), False
        else:
            motd, welcome = await self._store.claim(session.account, texts.number)
        if welcome and texts.welcome:
            await self._send(session, _message(host, "normal", texts.welcome))
        if motd:
            await self._send(session, _message(host, "headline", texts.motd, texts.subject))

    @notice(AccountCreated)
    async def expect(self, event: AccountCreated) -> None:
        """Remember that an account is new, if there is a welcome for it."""
        jid = event.account.jid
        if (await self._texts(jid.domainpart)).welcome:
            await self._store.expect_welcome(jid)

    @notice(AccountRemoved)
    async def forget(self, event: AccountRemoved) -> None:
        """Keep nothing of an account that is gone."""
        await self._store.forget(event.jid)

    async def _texts(self, host: str) -> Texts:
        """Return what a host tells, as far as this node knows; it looks once a minute, not at each login."""
        texts, read = self._known.get(host, (Texts(), float("-inf")))
        if self.clock.seconds() - read < FRESH:
            return texts
        changes = self._changes
        texts = await self._store.texts(host)
        if changes == self._changes:
            self._known[host] = texts, self.clock.seconds()
        return texts

    def _changed(self, host: str) -> None:
        self._changes += 1
        self._known.pop(host, None)


def _message(host: Jid, type: str, text: str, subject: str = "") -> Stanza:
    parts = [E(SUBJECT, subject)] if subject else []
    return Stanza.build("message", *parts, E(BODY, text), to=None, from_=host, type=type)


def _names(hosts: Sequence[Host]) -> str:
    return ", ".join(host.name for host in hosts)
