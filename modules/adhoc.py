"""XEP-0050: Ad-Hoc Commands, and XEP-0133: Service Administration, from the registry of administrative commands.

Each command of the registry that does not stream is offered to whoever may run it, under the node that XEP-0133 gives it or
one of our own. A command that takes arguments asks for them with a form in one step, and answers with a form or a note.
Nothing here decides who may do what: `Administration` does, for every front end.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from xmppd.core.administration import Administration, Authority
from xmppd.core.clock import Clock
from xmppd.core.command_forms import arguments_from, form_for, note, result_form
from xmppd.core.commands import Caller, Command, CommandError, Exit, Origin, Registry
from xmppd.core.events import DiscoInfo, DiscoItems
from xmppd.core.hooks import collect
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.protocol.dataforms import Form, FormKind, find_form
from xmppd.protocol.disco import Identity, Item
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import (
    BadRequest,
    Forbidden,
    InternalServerError,
    ItemNotFound,
    NotAcceptable,
    NotAllowed,
    StanzaError,
)
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import COMMANDS, DATA_FORMS

COMMAND = f"{{{COMMANDS}}}command"
ACTIONS = frozenset({"execute", "next", "complete", "cancel", "prev"})
SESSION_SECONDS = 600.0
MOST_SESSIONS = 1000


class Execution(NamedTuple):
    """A command that waits for its form.

    :ivar caller: the full JID that began it.
    :ivar expires: when it is given up, by the clock.
    """

    caller: Jid
    command: Command
    expires: float


@dataclass(slots=True)
class AdHoc(Module):
    """Runs administrative commands for administrators who ask with their client."""

    name: ClassVar = "adhoc"
    xeps: ClassVar = (
        Xep(50, "1.3.0", leaves_out="commands of several forms"),
        Xep(133, "1.3.1", leaves_out="lists of disabled, active and idle users, passwords read, blacklists, shutdown"),
    )
    features: ClassVar = (COMMANDS,)

    administration: Administration
    authority: Authority
    clock: Clock
    registry: Registry
    _executions: "OrderedDict[str, Execution]" = field(default_factory=OrderedDict, init=False)

    # Discovery

    @collect(DiscoItems)
    async def enumerate(self, event: DiscoItems) -> None:
        """Retrieving the Command List: what the requester may run."""
        if event.node != COMMANDS or event.target.localpart:
            return
        event.found = True
        if await self._is_admin(event.sender):
            commands = [command for command in self.registry if command.node]
            event.items.extend(Item(event.target, command.node, command.summary) for command in commands)

    @collect(DiscoInfo)
    async def describe(self, event: DiscoInfo) -> None:
        """Retrieving Command Information."""
        if event.node is None or event.target.localpart:
            return
        if event.node == COMMANDS:
            event.found = True
            event.identities.append(Identity("automation", "command-list"))
            return
        command = self.registry.at(event.node)
        if command is not None and await self._is_admin(event.sender):
            event.found = True
            event.identities.append(Identity("automation", "command-node", name=command.summary))
            event.features.update((COMMANDS, DATA_FORMS))

    async def _is_admin(self, sender: Jid) -> bool:
        return bool(await self.authority.administered(sender.bare))

    # Execution

    @iq("set", COMMAND, Target.HOST)
    async def execute(self, request: IqRequest) -> Element:
        """Executing Commands: begin, go on, finish or give up."""
        payload = request.payload
        action = payload.get("action") or "execute"
        if action not in ACTIONS:
            raise BadRequest(specific=E(f"{{{COMMANDS}}}malformed-action"))
        if not await self._is_admin(request.from_):
            raise Forbidden("only administrators may run commands")
        session = payload.get("sessionid")
        if session is None:
            return await self._begin(request, action)
        execution = self._taken(session, request)
        if action == "cancel":
            return _answer(execution.command, session, "canceled")
        if action == "prev":
            raise BadRequest(specific=E(f"{{{COMMANDS}}}bad-action"))
        return await self._finish(request, execution, session)

    async def _begin(self, request: IqRequest, action: str) -> Element:
        command = self.registry.at(request.payload.get("node") or "")
        if command is None:
            raise ItemNotFound("there is no such command")
        if action not in ("execute", "complete"):
            raise BadRequest(specific=E(f"{{{COMMANDS}}}bad-action"))
        session = secrets.token_urlsafe(12)
        form = form_for(command)
        if form is None:
            return await self._run(request, command, {}, session)
        self._keep(session, Execution(request.from_, command, self.clock.seconds() + SESSION_SECONDS))
        actions = E(f"{{{COMMANDS}}}actions", E(f"{{{COMMANDS}}}complete"), execute="complete")
        return _answer(command, session, "executing", actions, form.element())

    async def _finish(self, request: IqRequest, execution: Execution, session: str) -> Element:
        form = find_form(request.payload)
        if form is None or form.kind is not FormKind.SUBMIT:
            self._keep(session, execution)
            raise BadRequest("the form is missing", specific=E(f"{{{COMMANDS}}}bad-payload"))
        try:
            arguments = arguments_from(execution.command, form)
            return await self._run(request, execution.command, arguments, session)
        except NotAcceptable:
            self._keep(session, execution)  # the form can be corrected
            raise
        except CommandError as error:
            self._keep(session, execution)
            raise _refusal(error) from None

    async def _run(
        self, request: IqRequest, command: Command, arguments: dict[str, object], session: str
    ) -> Element:
        caller = Caller(Origin.ADHOC, request.from_)
        try:
            result = await self.administration.run(caller, command, arguments)
        except CommandError as error:
            raise _refusal(error) from None
        return _answer(command, session, "completed", *_shown(result_form(result), note(result)))

    def _keep(self, session: str, execution: Execution) -> None:
        self._executions[session] = execution
        while len(self._executions) > MOST_SESSIONS:
            self._executions.popitem(last=False)

    def _taken(self, session: str, request: IqRequest) -> Execution:
        """Return the execution that a request goes on with; it is over unless it is kept again."""
        execution = self._executions.get(session)
        if execution is None or execution.caller != request.from_:
            raise BadRequest(specific=E(f"{{{COMMANDS}}}bad-sessionid"))
        del self._executions[session]
        if execution.command.node != request.payload.get("node"):
            raise BadRequest(specific=E(f"{{{COMMANDS}}}bad-sessionid"))
        if execution.expires < self.clock.seconds():
            raise NotAllowed(specific=E(f"{{{COMMANDS}}}session-expired"))
        return execution


def _answer(command: Command, session: str, status: str, *children: Element) -> Element:
    return E(COMMAND, *children, node=command.node, sessionid=session, status=status)


def _shown(form: Form | None, text: str) -> list[Element]:
    shown = [] if form is None else [form.element()]
    if text or not shown:
        shown.insert(0, E(f"{{{COMMANDS}}}note", text or "It is done.", type="info"))
    return shown


def _refusal(error: CommandError) -> StanzaError:
    """Return the stanza error for what a command could not do."""
    text = f"{error.text}; {error.remedy}" if error.remedy else error.text
    kinds: dict[Exit, type[StanzaError]] = {
        Exit.REFUSED: Forbidden,
        Exit.UNKNOWN: ItemNotFound,
        Exit.USAGE: NotAcceptable,
        Exit.INTERNAL: InternalServerError,
    }
    return kinds.get(error.code, NotAcceptable)(text)
