"""XEP-0424, Tombstones: a message that its sender took back is replaced by a mark, in either archive.

What is taken back is named by the id that its sender gave it. In the recipient's archive it must have come from the
same bare JID as the retraction, in the sender's it must be the account's own; so nobody takes back what others said.
Messages through a room are left alone: there all occupants have one bare JID, and a nickname may change hands.

The row keeps its id, its place and its start tag. The retraction is a message like any other, kept as well.
"""

from collections.abc import Iterable
from typing import Final

from xmppd.core.message_log import GONE, RECEIVED, SENT, MessageLog, Row, id_at, time_of
from xmppd.protocol.element import Names
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.timestamps import format_time
from xmppd.protocol.writer import escape_attribute

NS: Final = "urn:xmpp:message-retract:1"
RETRACT: Final = f"{{{NS}}}retract"
TOMBSTONES: Final = f"{NS}#tombstone"
TYPES: Final = frozenset({"chat", "normal"})
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
ROOM: Final = f"{{{MUC_USER}}}x"
SOUGHT: Final = Names(RETRACT)
"""What each message is looked at for."""


def retracted_id(stanza: Stanza) -> str | None:
    """Return the id of the message that this one takes back; None if it takes none back, or cannot be referred to."""
    if not SOUGHT.occur_in(stanza.element):
        return None
    if stanza.type not in TYPES or not stanza.id or stanza.child(ROOM) is not None:
        return None
    retract = stanza.child(RETRACT)
    return None if retract is None else retract.get("id") or None


async def bury_received(log: MessageLog, account: Jid, retraction: Stanza, row: int, since: float) -> bool:
    """Put a tombstone in the archive of who received the message; return whether it was there."""
    return await _bury(log, account, retraction.from_.bare, RECEIVED, retraction, row, since)


async def bury_sent(log: MessageLog, account: Jid, retraction: Stanza, row: int, since: float) -> bool:
    """Put a tombstone in the archive of who sent the message; return whether it was there."""
    assert retraction.to is not None, "a message that was sent has an addressee"
    return await _bury(log, account, retraction.to.bare, SENT, retraction, row, since)


async def _bury(
    log: MessageLog, owner: Jid, peer: Jid, direction: int, retraction: Stanza, row: int, since: float
) -> bool:
    """Replace the message.

    :param row: the id of the retraction's own row; 0 if it has none.
    :param since: the earliest time, in seconds since the epoch, of a message that may still be taken back.
    """
    id = retracted_id(retraction)
    if id is None or retraction.id is None:
        return False
    found = grave(await log.find(owner, peer, id, id_at(max(0.0, since))), direction, row)
    if found is None:
        return False
    return await log.replace(owner, found.id, tombstone(found, retraction.id, row), found.flags | GONE)


def grave(rows: Iterable[Row], direction: int, before: int) -> Row | None:
    """Return the row to replace: ids need not be unique, then the last message of that id is meant.

    :param before: the id of the retraction's row, which it precedes; 0 if there is none.
    """
    found = [row for row in rows if row.direction == direction and not row.flags & GONE and not _is_rooms(row)]
    earlier = [row for row in found if row.id < before] if before else found
    return max(earlier, default=None)


def _is_rooms(row: Row) -> bool:
    """Whether a message came through a room, or may have."""
    return MUC_USER.encode() in row.stanza


def tombstone(row: Row, retraction: str, at: int) -> bytes:
    """Return what is left of a message: its start tag, and that it was retracted.

    :param retraction: the id of the retraction.
    :param at: the id of the retraction's row, which tells the time; 0 if it has none.
    """
    tag = row.stanza[: row.stanza.index(b">")].removesuffix(b"/")
    stamp = f" stamp='{format_time(time_of(at))}'" if at else ""
    mark = f"<retracted xmlns='{NS}' id='{escape_attribute(retraction)}'{stamp}/>"
    return b"%b>%b</message>" % (tag, mark.encode())
