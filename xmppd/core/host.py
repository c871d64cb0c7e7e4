"""One virtual host."""

from dataclasses import dataclass, field

from ..protocol.jid import Jid


@dataclass(slots=True)
class Host:
    """A domain whose accounts live here.

    :ivar name: its domainpart, as a JID.
    :ivar admins: bare JIDs that administer it, beside the accounts whose role says so.
    :ivar anonymous: whether SASL ANONYMOUS is offered (XEP-0175).
    :ivar stores: whether messages of its accounts are kept.
    :ivar retention: for how long they are kept, in seconds; None is for ever.
    :ivar contacts: addresses for XEP-0157 by their field name ("abuse-addresses", ...).
    """

    name: Jid
    admins: frozenset[Jid] = frozenset()
    anonymous: bool = False
    stores: bool = True
    retention: float | None = None
    contacts: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Hosts:
    """The virtual hosts of this server, by name."""

    def __init__(self, hosts: list[Host]) -> None:
        self._hosts: dict[str, Host] = {host.name: host for host in hosts}

    def get(self, name: str | None) -> Host | None:
        """Return the host of that (prepared) name, or None."""
        return self._hosts.get(name) if name is not None else None

    def __contains__(self, name: object) -> bool:
        return name in self._hosts

    def all(self) -> list[Host]:
        """Return all hosts in the order of the configuration."""
        return list(self._hosts.values())

    def replace(self, hosts: list[Host]) -> None:
        """Take another list of hosts (the configuration was reloaded)."""
        self._hosts = {host.name: host for host in hosts}
