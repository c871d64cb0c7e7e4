"""What a module is, and what it declares.

A module is a dataclass in one file, or in a folder when it has tables. From top to bottom: the XEP it implements,
what it declares, what it needs (its fields; the loader fills them by type), its handlers, and the pure functions they
rest on. `xmppd.modules` explains how to write one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..protocol.disco import Identity


@dataclass(frozen=True, slots=True)
class Xep:
    """One specification, as far as a module implements it.

    :ivar number: the XEP's number.
    :ivar version: the version that was read.
    :ivar leaves_out: what of it is not implemented; empty if it is complete.
    :ivar note: a remark for the table, if there is something to say.
    """

    number: int
    version: str
    leaves_out: str = ""
    note: str = ""


class Module:
    """The base of all modules: declarations that say "nothing", and a life cycle that does nothing.

    :cvar name: what the configuration, the logs and `xmppctl module` call it.
    :cvar xeps: the specifications it implements.
    :cvar features: disco features of every host.
    :cvar account_features: disco features of every account.
    :cvar identities: disco identities of every host.
    :cvar rehearses: whether `xmppctl explain` may make and start a second one, to which nothing is delivered and which
        keeps nothing; False for one that does by itself what the core does not know of: opens sockets, writes files.
    """

    name: ClassVar[str]
    xeps: ClassVar[tuple[Xep, ...]] = ()
    features: ClassVar[tuple[str, ...]] = ()
    account_features: ClassVar[tuple[str, ...]] = ()
    identities: ClassVar[tuple[Identity, ...]] = ()
    rehearses: ClassVar[bool] = True

    __slots__ = ()

    def offers(self) -> Mapping[type, Any]:
        """Return what other modules may need, by the type they ask for; declared in the module's `api`."""
        return {}

    async def start(self) -> None:
        """Begin; called when everything it needs is there, before its handlers are bound."""

    async def stop(self) -> None:
        """End; called when its handlers are unbound already."""
