"""An account's archive as XML: XEP-0227, section 4.11, with one message in each line."""

from collections.abc import AsyncIterator
from typing import Final

from ..core.message_log import MessageLog, Query, Row, time_of
from ..protocol.forward import forwarded
from ..protocol.jid import Jid
from ..protocol.timestamps import format_time
from ..protocol.writer import escape_attribute, serialise
from ..protocol.written import read_written

PAGE: Final = 200

MAM: Final = "urn:xmpp:mam:2"
HEAD: Final = (
    "<?xml version='1.0' encoding='UTF-8'?>",
    "<server-data xmlns='urn:xmpp:pie:0'>",
)
ARCHIVE: Final = "<archive xmlns='urn:xmpp:pie:0#mam'>"
FOOT: Final = ("</archive>", "</user>", "</host>", "</server-data>")


async def lines(log: MessageLog, account: Jid) -> AsyncIterator[str]:
    """Yield the lines of an account's archive, the oldest message first; no more than a page of it is in memory."""
    for line in HEAD:
        yield line
    yield f"<host jid='{escape_attribute(account.domainpart)}'>"
    yield f"<user name='{escape_attribute(account.localpart)}'>"
    yield ARCHIVE
    after = 0
    while rows := await log.page(Query(account, after=after, limit=PAGE)):
        for row in rows:
            yield result(row)
        after = rows[-1].id
    for line in FOOT:
        yield line


def result(row: Row) -> str:
    """Return a row as an archive's `<result/>`, without a line break in it."""
    stanza = row.stanza
    if b"\n" in stanza or b"\r" in stanza:  # our writer makes references of them
        stanza = serialise(read_written(stanza).element)
    content = forwarded(stanza, format_time(time_of(row.id)).encode()).decode()
    return f"<result xmlns='{MAM}' id='{row.id}'>{content}</result>"
