"""`trace`: what became of a message, and `log record`, which lets more be known of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

from ..config.quantities import Duration
from ..core.clock import Clock
from ..core.commands import CommandError, Done, Exit, Table, argument, command
from ..protocol.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.message_trace import MessageTrace, Recorder

DAY: Final = Duration("1d")


class State(StrEnum):
    """Whether what passes is recorded."""

    ON = "on"
    OFF = "off"


class Tap(Protocol):
    """Something that can be listened to: a `Seam`, or the tap of the hooks (`watch.Taps`)."""

    def open(self, listener: "Callable[..., Any]", /) -> None: ...
    def close(self, listener: "Callable[..., Any]", /) -> None: ...


@dataclass(slots=True)
class TraceCommands:
    """Single messages, and what became of them."""

    messages: "MessageTrace"
    clock: Clock

    @command("trace", offline=True)
    async def trace(
        self,
        id: Annotated[str, argument("The message's id, or its origin-id if it has one (XEP-0359)")],
        since: Annotated[Duration, argument("How far back to look")] = DAY,
    ) -> Table:
        """Show what became of a message: received, committed, delivered, acknowledged, displayed.

        This looks through everything that was stored since then. To whom it was handed over and when they acknowledged
        it is known of what passes while it is recorded: see log record. What the message says is not shown.
        """
        from ..core.message_log import id_at

        found = await self.messages.find(id, id_at(max(0.0, self.clock.seconds() - since)))
        if not found:
            raise CommandError(f"no message {id} was stored in the last {since}", "try a longer --since", Exit.UNKNOWN)
        rows = [
            [
                None if one.when is None else format_time(one.when),
                one.what,
                one.where,
                str(one.row) if one.row else None,
            ]
            for one in found
        ]
        return Table(("time", "step", "where", "row"), rows)


@dataclass(slots=True)
class RecordCommands:
    """The record of what happens to messages.

    :ivar decisions: the tap of the hooks.
    :ivar deliveries: `Inboxes.delivered`.
    :ivar acknowledgements: `StreamManagement.acknowledged`.
    """

    messages: "MessageTrace"
    clock: Clock
    decisions: Tap
    deliveries: Tap
    acknowledgements: Tap

    @command("log record")
    async def record(self, state: Annotated[State, argument("Whether what passes is recorded")]) -> Done:
        """Record what happens to messages, so that trace can tell more of them, or stop that and forget it.

        Some ten thousand events are kept in memory; nothing that people say is among them. While it is on every
        message costs a little more; while it is off it costs nothing.
        """
        recorder = self.messages.recorder
        if state is State.ON and recorder is None:
            self._begin()
        elif state is State.OFF and recorder is not None:
            self._end(recorder)
        return Done(f"what happens to messages is {'' if state is State.ON else 'not '}recorded", {"state": state})

    def _begin(self) -> None:
        from ..core.message_trace import Recorder

        recorder = self.messages.recorder = Recorder(self.clock)
        self.decisions.open(recorder.see)
        self.deliveries.open(recorder.delivered)
        self.acknowledgements.open(recorder.acknowledged)

    def _end(self, recorder: "Recorder") -> None:
        self.decisions.close(recorder.see)
        self.deliveries.close(recorder.delivered)
        self.acknowledgements.close(recorder.acknowledged)
        self.messages.recorder = None
