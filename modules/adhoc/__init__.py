"""XEP-0050: Ad-Hoc Commands, and XEP-0133: Service Administration, from the registry of administrative commands.

Each command of the registry that does not stream is offered at every host, under the node that XEP-0133 gives it or
one of our own. A command that takes arguments asks for them with a form in one step, and answers with a form or a
note. The host that a command is about is the one that was asked, so nobody is asked for it.

Who may do what is decided by `Administration`, for every front end; here only what one may do nowhere is not shown.
`executions` keeps the sessions, `api` is what other modules may know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, NamedTuple

from xmppd.core.administration import Administration, Authority
from xmppd.core.clock import Clock
from xmppd.core.command_forms import ADMIN, arguments_from, form_for, note, result_element
from xmppd.core.commands import Caller, Command, CommandError, Exit, Origin, Registry
from xmppd.core.events import DiscoInfo, DiscoItems
from xmppd.core.hooks import Hooks, collect
from xmppd.core.host import Hosts
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.protocol.dataforms import Form, FormKind, find_form
from xmppd.protocol.disco import Identity, Item
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import (
    BadRequest,
    Conflict,
    FeatureNotImplemented,
    Forbidden,
    InternalServerError,
    ItemNotFound,
    StanzaError,
)
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import COMMANDS, DATA_FORMS, DISCO_INFO, DISCO_ITEMS, XML_LANG

from .api import CommandForm
from .executions import Executions, condition

COMMAND: Final = f"{{{COMMANDS}}}command"
ACTIONS: Final = frozenset({"execute", "next", "complete", "cancel", "prev"})
LEFT_OUT: Final = "black and white lists; of a new user's data all but the password; rates in a user's statistics"
HOST: Final = "host"  # the parameter of a command that says which host it is about


class Execution(NamedTuple):
    """One command, as one resource runs it at one host.

    :ivar caller: the full JID of the resource.
    """

    caller: Jid
    target: Jid
    command: Command
    session: str

    def answer(self, status: str, *children: Element) -> Element:
        """Return the `<command/>` that says how far it is."""
        lang: Mapping[str, str | None] = {XML_LANG: "en"}
        return E(COMMAND, lang, *children, node=self.command.node, sessionid=self.session, status=status)


@dataclass(slots=True)
class AdHoc(Module):
    """Runs administrative commands for administrators who ask with their client."""

    name: ClassVar = "adhoc"
    xeps: ClassVar = (
        Xep(50, "1.3.0", leaves_out="commands of several forms, languages other than English"),
        Xep(133, "1.3.1", leaves_out=LEFT_OUT),
    )
    features: ClassVar = (COMMANDS,)

    administration: Administration
    authority: Authority
    clock: Clock
    hooks: Hooks
    hosts: Hosts
    registry: Registry
    _executions: Executions = field(init=False)

    def __post_init__(self) -> None:
        self._executions = Executions(self.clock)

    # Discovery

    @collect(DiscoItems)
    async def enumerate(self, event: DiscoItems) -> None:
        """Retrieving the Command List: what the requester may run."""
        if event.node != COMMANDS or event.target.localpart:
            return
        event.found = True
        administered = await self.authority.administered(event.sender.bare)
        commands = [one for one in self.registry if one.node and self._is_open(one, event.target, administered)]
        event.items.extend(Item(event.target, command.node, command.summary) for command in commands)

    @collect(DiscoInfo)
    async def describe(self, event: DiscoInfo) -> None:
        """Retrieving Command Information: of a command that is not open to the requester there is none."""
        if event.node is None or event.target.localpart:
            return
        if event.node == COMMANDS:
            event.found = True
            event.identities.append(Identity("automation", "command-list"))
            event.features.update((DISCO_INFO, DISCO_ITEMS))
            return
        command = self.registry.at(event.node)
        if command is None:
            return
        event.found = True
        if self._is_open(command, event.target, await self.authority.administered(event.sender.bare)):
            event.identities.append(Identity("automation", "command-node", name=command.summary))
            event.features.update((COMMANDS, DATA_FORMS))

    def _is_open(self, command: Command, host: Jid, administered: frozenset[str]) -> bool:
        """Whether somebody who administers these hosts may run a command about `host`."""
        if administered >= {each.name for each in self.hosts.all()}:
            return True
        return command.declaration.scoped and host in administered

    # Execution

    @iq("set", COMMAND, Target.HOST)
    async def execute(self, request: IqRequest) -> Element:
        """Executing Commands: begin, go on, finish or give up."""
        payload, target = request.payload, request.target
        action, node, session = payload.get("action") or "execute", payload.get("node"), payload.get("sessionid")
        if action not in ACTIONS:
            raise BadRequest(f"{action} is no action", specific=condition("malformed-action"))
        if not node:
            raise BadRequest("which command?")
        command = await self._open_command(node, request)
        if session is not None:
            self._executions.take(session, request.from_, target, node)
            return await self._go_on(Execution(request.from_, target, command, session), action, payload)
        if action not in ("execute", "complete"):
            raise BadRequest(f"there is nothing to {action} yet", specific=condition("bad-action"))
        session = self._executions.new_id(request.from_, target, node)
        return await self._begin(Execution(request.from_, target, command, session))

    async def _open_command(self, node: str, request: IqRequest) -> Command:
        administered = await self.authority.administered(request.from_.bare)
        if not administered:
            raise Forbidden("only administrators may run commands", type="cancel")
        command = self.registry.at(node)
        if command is None:
            if node.startswith(f"{ADMIN}#"):  # XEP-0133, Error Handling
                raise FeatureNotImplemented("this command is not supported")
            raise ItemNotFound("there is no such command")
        if not self._is_open(command, request.target, administered):
            raise Forbidden("you may not run this command here", type="cancel")
        return command

    async def _begin(self, execution: Execution) -> Element:
        """Multiple Stages: ask with a form, unless there is nothing to ask."""
        form = await self._form(execution)
        if form is None:
            return await self._run(execution, {})
        self._executions.keep(execution.session)
        actions = E(f"{{{COMMANDS}}}actions", E(f"{{{COMMANDS}}}complete"), execute="complete")
        return execution.answer("executing", actions, form.element())

    async def _form(self, execution: Execution) -> Form | None:
        form = form_for(_without_host(execution.command))
        if form is None:
            return None
        values = (await self.hooks.collect(CommandForm(execution.target, execution.command))).values
        fields = [replace(one, value=values.get(one.var, one.value)) for one in form.fields]
        return replace(form, fields=fields)

    async def _go_on(self, execution: Execution, action: str, payload: Element) -> Element:
        if action == "cancel":
            return execution.answer("canceled")
        try:
            if action in ("prev", "next"):
                raise BadRequest("the form is the only stage", specific=condition("bad-action"))
            return await self._run(execution, _submitted(execution.command, payload))
        except StanzaError:
            self._executions.keep(execution.session)  # what is wrong can be corrected
            raise

    async def _run(self, execution: Execution, arguments: dict[str, object]) -> Element:
        command = execution.command
        if any(parameter.name == HOST for parameter in command.parameters):
            arguments[HOST] = str(execution.target)
        try:
            result = await self.administration.run(Caller(Origin.ADHOC, execution.caller.bare), command, arguments)
        except CommandError as error:
            raise _refusal(error) from None
        return execution.answer("completed", *_shown(result_element(result), note(result)))


def _without_host(command: Command) -> Command:
    return replace(command, parameters=tuple(each for each in command.parameters if each.name != HOST))


def _submitted(command: Command, payload: Element) -> dict[str, object]:
    """Return the arguments in the form of a request; one that was cancelled counts too (XEP-0050, Use of Data Forms).

    :raises BadRequest: there is no form, or it does not do.
    """
    try:
        form = find_form(payload)
        if form is None or form.kind not in (FormKind.SUBMIT, FormKind.CANCEL):
            raise BadRequest("the form is missing")
        return arguments_from(_without_host(command), form)
    except BadRequest as error:
        raise BadRequest(error.text, specific=condition("bad-payload")) from None
    except CommandError as error:
        raise _refusal(error) from None


def _shown(form: Element | None, text: str) -> list[Element]:
    shown = [] if form is None else [form]
    if text or not shown:
        shown.insert(0, E(f"{{{COMMANDS}}}note", text or "It is done.", type="info"))
    return shown


def _refusal(error: CommandError) -> StanzaError:
    """Return the stanza error for what a command could not do (XEP-0050, Possible Errors; XEP-0133, Error Handling)."""
    text = f"{error.text}; {error.remedy}" if error.remedy else error.text
    if error.code is Exit.USAGE:
        return BadRequest(text, specific=condition("bad-payload"))
    if error.code is Exit.REFUSED:
        return Forbidden(text, type="cancel")
    kinds: Mapping[Exit, type[StanzaError]] = {Exit.UNKNOWN: ItemNotFound, Exit.INTERNAL: InternalServerError}
    return kinds.get(error.code, Conflict)(text)
