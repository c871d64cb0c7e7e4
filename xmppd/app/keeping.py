"""For how long messages are kept: each host says so for its accounts (`Host.retention`).

It is asked whenever old messages are removed, so a configuration that was reloaded counts from then on.
"""

from ..core.host import Hosts
from ..protocol.jid import Jid


def kept_for(owner: Jid, hosts: Hosts) -> float | None:
    """Return for how long an owner's messages are kept, in seconds; None is for ever.

    An owner whose host is none of ours any more, or a service's, has its messages as long as anybody has.
    """
    host = hosts.get(owner.domainpart)
    return longest(hosts) if host is None else host.retention


def longest(hosts: Hosts) -> float | None:
    """Return the longest of these times; None is for ever."""
    times = [host.retention for host in hosts.all()]
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) and known else None
