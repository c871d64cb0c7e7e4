"""All nouns, and the words that each of them brings.

`xmppctl` reads the declarations of all of them for its help, so no noun's file imports Twisted or SQLAlchemy at its
top.
"""

from typing import Final

from ..core.commands import Command, declared_in
from .accounts import AccountCommands
from .certificates import CertificateCommands
from .config import ConfigCommands
from .database import DatabaseCommands
from .explain import ExplainCommands
from .hooks import HookCommands
from .hosts import HostCommands
from .modules import ModuleCommands
from .sessions import SessionCommands
from .status import StatusCommands
from .watch import WatchCommands

OWNER: Final = "admin"
"""Who brings these commands, in the registry."""

NOUNS: Final[tuple[type, ...]] = (
    AccountCommands,
    CertificateCommands,
    ConfigCommands,
    DatabaseCommands,
    ExplainCommands,
    HookCommands,
    HostCommands,
    ModuleCommands,
    SessionCommands,
    StatusCommands,
    WatchCommands,
)


def declared() -> list[Command]:
    """Return the declarations of all nouns, to be described, not run."""
    found = [command for noun in NOUNS for command in declared_in(noun, OWNER)]
    return sorted(found, key=lambda command: command.words)
