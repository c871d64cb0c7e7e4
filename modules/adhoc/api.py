"""What other modules may know of ad-hoc commands."""

from dataclasses import dataclass, field

from xmppd.core.commands import Command
from xmppd.core.hooks import Collection
from xmppd.protocol.jid import Jid


@dataclass(slots=True)
class CommandForm(Collection):
    """The form of a command is about to be shown; who knows what is set already proposes it.

    :ivar target: the host that was asked.
    :ivar values: what stands in the fields, by their names.
    """

    target: Jid
    command: Command
    values: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
