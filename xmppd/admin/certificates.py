"""`cert`: the certificates that hosts present."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..core.commands import Table, command
from ..core.results import moment


class CertificateInfo(Protocol):
    """A host's certificate; times in seconds since the epoch."""

    @property
    def host(self) -> str: ...

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def issuer(self) -> str: ...

    @property
    def not_after(self) -> float: ...

    @property
    def days_left(self) -> int: ...

    @property
    def file(self) -> Path: ...

    @property
    def warnings(self) -> Sequence[str]: ...


@dataclass(slots=True)
class CertificateCommands:
    """The certificates.

    :ivar certificates: returns one for each host.
    """

    certificates: Callable[[], Sequence[CertificateInfo]]

    @command("cert list", offline=True)
    async def list_all(self) -> Table:
        """List the certificates, how long they are still valid and what is wrong with them."""
        rows = [
            [one.host, one.names, one.issuer, moment(one.not_after), one.days_left, one.warnings or ["right"], one.file]
            for one in self.certificates()
        ]
        return Table(("host", "names", "issuer", "not_after", "days_left", "state", "file"), rows)
