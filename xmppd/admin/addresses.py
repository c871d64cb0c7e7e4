"""The addresses that commands take: accounts and hosts of this server."""

from collections.abc import Sequence

from ..core.host import Host, Hosts
from ..core.results import CommandError, Exit
from ..protocol.jid import Jid


def local_account(jid: Jid, hosts: Hosts) -> Jid:
    """Return `jid` if an account of this server can have it, else raise `CommandError`."""
    if not jid.localpart or not jid.is_bare:
        raise CommandError(f"{jid} is no account", "write it like juliet@example.org", Exit.USAGE)
    local_host(jid.domainpart, hosts)
    return jid


def local_host(name: str, hosts: Hosts) -> Host:
    """Return the host of that name, else raise `CommandError`."""
    host = hosts.get(name)
    if host is None:
        known = ", ".join(sorted(host.name for host in hosts.all()))
        raise CommandError(f"{name} is no host of this server", f"its hosts are {known}", Exit.UNKNOWN)
    return host


def chosen_hosts(name: str | None, hosts: Hosts) -> Sequence[Host]:
    """Return the host of that name, or all of them in the order of their names."""
    if name is not None:
        return [local_host(name, hosts)]
    return sorted(hosts.all(), key=lambda host: host.name)
