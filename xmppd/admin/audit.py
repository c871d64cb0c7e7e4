"""Who has run which command: a line in the log for each, before it runs.

What administrators write to people is theirs and not the log's: a document is told by its length, a long text by its
beginning.
"""

from collections.abc import Mapping
from typing import Final

from ..core.commands import Caller, Command, Kind
from ..core.log import Log

log = Log("admin.audit")
SHOWN: Final = 40
"""Characters of a text; names and reasons of ordinary length fit."""


def audit(caller: Caller, command: Command, arguments: Mapping[str, object]) -> None:
    """Note a command; secrets among the arguments hide themselves (`xmppd.core.administration.Audit`)."""
    kinds = {parameter.name: parameter.kind for parameter in command.parameters}
    given = ", ".join(f"{name}={shown(kinds.get(name), value)}" for name, value in arguments.items())
    log.info("{caller} runs {command}({given})", caller=str(caller), command=command.name, given=given)


def shown(kind: Kind | None, value: object) -> str:
    """Return what the log may hold of an argument."""
    if isinstance(value, list):
        return f"[{', '.join(shown(kind, item) for item in value)}]"
    if isinstance(value, str) and kind is Kind.DOCUMENT:
        return f"<{len(value)} characters>"
    if isinstance(value, str) and kind is Kind.TEXT and len(value) > SHOWN:
        return f"{value[:SHOWN]!r}... <{len(value)} characters>"
    return repr(value)
