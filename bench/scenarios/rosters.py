"""Rosters for `presence`, made through the protocol: everybody asks everybody else, and everybody agrees."""

from typing import Any

from ..connection import Connection
from ..dialogue import NegotiationError
from ..job import Job
from ..stage import Stage
from ..stanzas import subscription
from .names import contacts_of, friends

END_OF_ROSTER = b"</iq>"
BOTH = (b"subscription='both'", b'subscription="both"')


def rosters(stage: Stage, job: Job) -> dict[str, Any]:
    """Give each of `job.friends` friends `job.contacts` mutual contacts; check one roster at the end."""
    names = friends(job.friends)
    sessions = stage.bring(names)
    before = stage.meter.read()
    contacts = len(contacts_of(0, len(names), job.contacts))
    for kind in (b"subscribe", b"subscribed"):
        for column in range(contacts):
            _ask(stage, job, sessions, kind, column)
        stage.calm()
    usage = before.until(stage.meter.read())
    _expect(_count_mutual(stage, sessions[0]), contacts)
    stage.unharmed()
    stage.dismiss(sessions)
    return {
        **usage.figures(),
        "unit": "subscription",
        "units": len(names) * contacts,
        **usage.cost(len(names) * contacts),
    }


def _ask(stage: Stage, job: Job, sessions: list[Connection], kind: bytes, column: int) -> None:
    """Everybody sends one presence to the contact in that column; wait until all were processed."""
    for index, session in enumerate(sessions):
        contact = contacts_of(index, len(sessions), job.contacts)[column]
        session.send(subscription(kind, stage.target.address(sessions[contact].name)))
    stage.barrier(sessions, b"%s-%d" % (kind, column))


def _count_mutual(stage: Stage, session: Connection) -> int:
    """Ask for one roster; return how many of its items are mutual."""
    heard = bytearray()
    session.receive = heard.extend
    session.send(b"<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
    stage.loop.until(lambda: b"roster" in heard and heard.rfind(END_OF_ROSTER) > heard.find(b"jabber:iq:roster"), 10.0)
    return sum(heard.count(marker) for marker in BOTH)


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise NegotiationError(f"a roster has {found} mutual contacts, not {wanted}")
