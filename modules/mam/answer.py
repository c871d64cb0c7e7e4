"""Writing what an archive answers (XEP-0313, Query results).

A stored message is bytes and stays so: nothing is parsed, no element is built for it, its bytes are copied between
those that wrap it.
"""

from collections.abc import Sequence
from typing import Final

from xmppd.core.message_log import Row, time_of
from xmppd.protocol.element import E, Element
from xmppd.protocol.forward import forwarded
from xmppd.protocol.jid import Jid
from xmppd.protocol.rsm import Page
from xmppd.protocol.timestamps import format_time
from xmppd.protocol.writer import escape_attribute

from .query import NS

FIN: Final = f"{{{NS}}}fin"
METADATA: Final = f"{{{NS}}}metadata"
START: Final = f"{{{NS}}}start"
END: Final = f"{{{NS}}}end"


class Results:
    """The messages that bring the results of one query.

    :param owner: whose archive was asked; it speaks for itself, so that nobody else can.
    :param to: who has asked.
    """

    __slots__ = ("_before",)

    def __init__(self, owner: Jid, to: Jid, queryid: str | None) -> None:
        mark = "" if queryid is None else f" queryid='{escape_attribute(queryid)}'"
        self._before = (
            f"<message from='{escape_attribute(owner)}' to='{escape_attribute(to)}'><result xmlns='{NS}'{mark} id='"
        ).encode()

    def message(self, row: Row) -> bytes:
        """Return the whole message that brings a row; the `id` of its result is all the id that it needs."""
        id = row.id
        content = forwarded(row.stanza, format_time(time_of(id)).encode())
        return b"%b%d'>%b</result></message>" % (self._before, id, content)


def page_of(rows: list[Row], limit: int, size: int, *, backwards: bool) -> tuple[list[Row], bool]:
    """Return the rows of a page, and whether there are no others behind it in the direction of paging.

    :param rows: what was found, one more than `limit` if there is so much.
    :param size: how many bytes the page may have; it has one row at least.
    """
    within = _fitting(rows[::-1] if backwards else rows, limit, size)
    page = rows[len(rows) - within :] if backwards else rows[:within]
    return page, within == len(rows)


def _fitting(rows: Sequence[Row], limit: int, size: int) -> int:
    for number, row in enumerate(rows):
        size -= len(row.stanza)
        if number >= limit or (size < 0 and number):
            return number
    return len(rows)


def fin(page: Sequence[Row], *, is_complete: bool, count: int | None = None) -> Element:
    """Return the `<fin/>`. A row never changes its place, so a page is always stable.

    :param page: what was sent, in the order of the archive even if it was sent in the other one.
    :param count: how many messages match, if that was asked for.
    """
    first, last = (str(page[0].id), str(page[-1].id)) if page else (None, None)
    return E(FIN, Page(first, last, count).element(), complete="true" if is_complete else None, stable="true")


def metadata(ends: tuple[int, int] | None) -> Element:
    """Return what is told of an archive as a whole (Archive metadata); nothing if it is empty."""
    if ends is None:
        return E(METADATA)
    first, last = ends
    return E(METADATA, _end(START, first), _end(END, last))


def _end(name: str, id: int) -> Element:
    return E(name, id=id, timestamp=format_time(time_of(id)))
