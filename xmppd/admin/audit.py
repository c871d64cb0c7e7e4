"""Who has run which command: a line in the log for each, before it runs."""

from collections.abc import Mapping

from ..core.commands import Caller, Command
from ..core.log import Log

log = Log("admin.audit")


def audit(caller: Caller, command: Command, arguments: Mapping[str, object]) -> None:
    """Note a command; secrets among the arguments hide themselves (`xmppd.core.administration.Audit`)."""
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    log.info("{caller} runs {command}({given})", caller=str(caller), command=command.name, given=given)
