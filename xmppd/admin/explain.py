"""`explain`: which handler decides what about a stanza, and why."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from ..core.commands import CommandError, Document, Exit, Table, argument, command
from ..core.host import Hosts
from ..protocol.jid import Jid

if TYPE_CHECKING:
    from ..core.trace import Step
    from ..protocol.element import Element
    from ..protocol.stanza import Stanza

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"


@dataclass(slots=True)
class ExplainCommands:
    """The pipeline, shown at work.

    :ivar rehearse: does with a stanza what the server does, without delivering or keeping anything.
    """

    hosts: Hosts
    rehearse: "Callable[[Stanza], Awaitable[Sequence[Step]]]"

    @command("explain")
    async def explain(self, stanza: Annotated[Document, argument("A file with one stanza, with from and to")]) -> Table:
        """Show which handler decides what about a stanza, and what comes of it; nothing is delivered or kept.

        The handlers are run, on copies of the sessions, and what they write is undone. The stanza needs a from: the
        full address of a local user, or any address of another server.
        """
        given = read_stanza(stanza)
        if given.from_.domainpart in self.hosts and not (given.from_.resourcepart and given.from_.localpart):
            raise CommandError("a local user's stanza has a full address in from", code=Exit.USAGE)
        if given.from_.domainpart not in self.hosts and given.to is None:
            raise CommandError("a stanza of another server has a to", code=Exit.USAGE)
        steps = await self.rehearse(given)
        rows = [[one.event, one.phase, one.who, one.outcome, one.rule] for one in steps]
        return Table(("event", "phase", "handler", "outcome", "rule"), rows)


def read_stanza(text: str) -> "Stanza":
    """Return the one stanza of a text; raise `CommandError` if it is none."""
    from ..protocol.stanza import Malformed, read

    element = read_element(text)
    sender = element.get("from")
    if sender is None:
        raise CommandError("the stanza has no from", code=Exit.USAGE)
    try:
        return read(element, Jid.parse(sender))
    except ValueError as error:
        raise CommandError(f"from: {error}", code=Exit.USAGE) from None
    except Malformed as error:
        raise CommandError(f"this is no stanza: {error}", code=Exit.USAGE) from None
    except KeyError:
        raise CommandError(f"{element.name} is no stanza", code=Exit.USAGE) from None


def read_element(text: str) -> "Element":
    """Return the one element of a text; raise `CommandError` if there is none, or more."""
    from ..protocol.element import Element
    from ..protocol.errors import StreamError
    from ..protocol.parser import StreamParser
    from ..protocol.tree import Limits

    parser = StreamParser(Limits())
    try:
        parser.feed(HEADER + text.strip().encode("utf-8", "surrogatepass"))
    except StreamError as error:
        raise CommandError(f"this is no XML that a client may send: {error}", code=Exit.USAGE) from None
    elements = [event for event in parser.take_events() if isinstance(event, Element)]
    if len(elements) != 1 or not parser.at_boundary:
        raise CommandError("the file holds no stanza, or more than one", code=Exit.USAGE)
    return elements[0]
