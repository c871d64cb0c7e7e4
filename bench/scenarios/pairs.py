"""Pairs of sessions, one of which writes to the other, and idle sessions beside them."""

from dataclasses import dataclass, field

from ..connection import Connection
from ..job import Job
from ..negotiation import online
from ..stage import Scripted, Stage
from .names import users


@dataclass(slots=True)
class Pairs:
    """Who writes to whom: the sender's connection, the recipient's bare JID and connection."""

    members: list[tuple[Connection, bytes, Connection]]
    crowd: list[Connection] = field(default_factory=list)


def bring_pairs(stage: Stage, job: Job, script: Scripted = online) -> Pairs:
    """Bring the crowd online, then the pairs, by that script."""
    crowd = stage.bring(users(job.background, first=2 * job.pairs))
    if crowd:
        stage.calm()
    sessions = stage.bring(users(2 * job.pairs), script)
    senders, recipients = sessions[: job.pairs], sessions[job.pairs :]
    addresses = [stage.target.address(recipient.name) for recipient in recipients]
    return Pairs(list(zip(senders, addresses, recipients, strict=True)), crowd)


def dismiss_pairs(stage: Stage, pairs: Pairs) -> None:
    """Send all of them away."""
    stage.dismiss([connection for sender, _, recipient in pairs.members for connection in (sender, recipient)])
    stage.dismiss(pairs.crowd)
