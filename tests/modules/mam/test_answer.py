"""What an archive answers: XEP-0313, Query results."""

from xml.etree import ElementTree as ET

import pytest

from tests.scenario.xml import differences, parse
from xmppd.core.message_log import ARCHIVE, CHAT, RECEIVED, Row, id_at
from xmppd.modules.mam.answer import FIN, METADATA, Results, fin, metadata, page_of
from xmppd.modules.mam.query import NS
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.rsm import Page
from xmppd.protocol.timestamps import parse_time

JULIET = Jid("juliet@capulet.lit")
CHAMBER = Jid(f"{JULIET}/chamber")
STANZA = (
    b"<message from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony' type='chat'>"
    b"<body>Call me but love, and I'll be new baptized; Henceforth I never will be Romeo.</body></message>"
)
AT = id_at(parse_time("2010-07-10T23:08:25Z"))


def row(id: int = AT, stanza: bytes = STANZA) -> Row:
    return Row(id, "romeo@montague.lit/orchard", RECEIVED, CHAT, ARCHIVE, None, stanza)


def test_result() -> None:
    """Query results: the original message, when it was received, its id, and the query that it answers."""
    found = ET.fromstring(Results(JULIET, CHAMBER, "f27").message(row()))
    found.tag = f"{{jabber:client}}{found.tag}"
    expected = parse(f"""
        <message from='juliet@capulet.lit' to='juliet@capulet.lit/chamber'>
          <result xmlns='urn:xmpp:mam:2' queryid='f27' id='{AT}'>
            <forwarded xmlns='urn:xmpp:forward:0'>
              <delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/>
              <message xmlns='jabber:client' to='juliet@capulet.lit/balcony' from='romeo@montague.lit/orchard'
                       type='chat'>
                <body>Call me but love, and I'll be new baptized; Henceforth I never will be Romeo.</body>
              </message>
            </forwarded>
          </result>
        </message>""")
    assert differences(expected, found, {}) == []


def test_query_without_id() -> None:
    """Query results: a queryid is told only if there is one."""
    result = ET.fromstring(Results(JULIET, CHAMBER, None).message(row()))[0]
    assert result.attrib == {"id": str(AT)}


def test_ids_are_written_safely() -> None:
    """A queryid is anything that a client may write; an address too."""
    queryid, resource = "'><&\"\n", "<'&\">"
    message = ET.fromstring(Results(JULIET, Jid(f"{JULIET}/{resource}"), queryid).message(row()))
    assert message.get("to") == f"{JULIET}/{resource}"
    assert message[0].get("queryid") == queryid


def test_the_message_is_copied() -> None:
    """Query results: the message as it was received, to the byte."""
    assert STANZA.partition(b" ")[2] in Results(JULIET, CHAMBER, None).message(row())


class TestPages:
    """XEP-0313, Page limits."""

    rows = [row(id) for id in range(1, 6)]
    ample = 1_000_000

    @pytest.mark.parametrize(
        ("limit", "backwards", "ids", "is_last"),
        [
            (5, False, [1, 2, 3, 4, 5], True),
            (4, False, [1, 2, 3, 4], False),
            (5, True, [1, 2, 3, 4, 5], True),
            (4, True, [2, 3, 4, 5], False),
            (9, False, [1, 2, 3, 4, 5], True),
        ],
    )
    def test_limit(self, limit: int, backwards: bool, ids: list[int], is_last: bool) -> None:
        """One row more than the page has room for says that it is not the last."""
        page, complete = page_of(self.rows, limit, self.ample, backwards=backwards)
        assert ([each.id for each in page], complete) == (ids, is_last)

    @pytest.mark.parametrize(
        ("size", "backwards", "ids"),
        [
            (len(STANZA) * 5, False, [1, 2, 3, 4, 5]),
            (len(STANZA) * 5 - 1, False, [1, 2, 3, 4]),
            (len(STANZA) * 2, False, [1, 2]),
            (len(STANZA) * 2, True, [4, 5]),
            (1, False, [1]),
            (1, True, [5]),
        ],
    )
    def test_size(self, size: int, backwards: bool, ids: list[int]) -> None:
        """A page of large messages has fewer of them, but one at least: who pages on gets them all."""
        page, complete = page_of(self.rows, 5, size, backwards=backwards)
        assert ([each.id for each in page], complete) == (ids, len(ids) == 5)

    def test_nothing(self) -> None:
        """An empty page is the last one."""
        assert page_of([], 50, self.ample, backwards=False) == ([], True)
        assert page_of([], 50, self.ample, backwards=True) == ([], True)


def test_fin() -> None:
    """Requesting pages: the first and the last message of the page, and whether it is the last page."""
    rows = [row(7), row(8), row(9)]
    assert fin(rows, is_complete=False) == E(FIN, Page("7", "9").element(), stable="true")
    assert fin(rows, is_complete=True) == E(FIN, Page("7", "9").element(), complete="true", stable="true")
    assert fin([], is_complete=True, count=0) == E(FIN, Page(count=0).element(), complete="true", stable="true")


def test_metadata() -> None:
    """Archive metadata: the first and the last message; nothing if there is none."""
    last = id_at(parse_time("2020-04-20T14:34:21Z"))
    assert metadata((AT, last)) == E(
        METADATA,
        E(f"{{{NS}}}start", id=AT, timestamp="2010-07-10T23:08:25Z"),
        E(f"{{{NS}}}end", id=last, timestamp="2020-04-20T14:34:21Z"),
    )
    assert metadata(None) == E(METADATA)
