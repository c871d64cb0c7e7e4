"""What the generator says is XML of the right size, and counting does not depend on where the stream is cut."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stanzas import (
    ACKNOWLEDGEMENT_REQUEST,
    BODY,
    Counter,
    acknowledgement,
    archive_query,
    availability,
    chat,
    ping,
    stream_header,
    subscription,
)

CLIENT = "{jabber:client}"
RSM = "{http://jabber.org/protocol/rsm}"


def parsed(stanza: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(b"<s xmlns='jabber:client'>" + stanza + b"</s>")[0]


def test_a_chat_message_is_what_clients_send() -> None:
    """A body of 196 bytes, an origin id equal to the id, a receipt request, markable."""
    message = parsed(chat(b"juliet@example.org", b"id-1"))
    assert message.attrib == {"type": "chat", "to": "juliet@example.org", "id": "id-1"}
    body = message.find(f"{CLIENT}body")
    assert body is not None
    assert body.text == BODY.decode()
    assert len(BODY) == 196
    assert [child.tag for child in message][1:] == [
        "{urn:xmpp:sid:0}origin-id",
        "{urn:xmpp:receipts}request",
        "{urn:xmpp:chat-markers:0}markable",
    ]


def test_each_turn_has_another_presence() -> None:
    """A server may not take a change for a repetition."""
    shown = [parsed(availability(turn)) for turn in range(2)]
    assert shown[0].findtext(f"{CLIENT}show") != shown[1].findtext(f"{CLIENT}show")


def test_other_stanzas_are_well_formed() -> None:
    """Ping, subscription and the stream header with its end."""
    assert parsed(ping(b"example.org", b"p"))[0].tag == "{urn:xmpp:ping}ping"
    assert parsed(subscription(b"subscribe", b"a@b")).attrib == {"type": "subscribe", "to": "a@b"}
    assert ElementTree.fromstring(stream_header(b"example.org") + b"</stream:stream>").get("to") == "example.org"


def test_a_header_may_say_from_whom() -> None:
    """RFC 6120, 4.7.1: the account's address, or nothing."""
    header = ElementTree.fromstring(stream_header(b"example.org", b"romeo@example.org") + b"</stream:stream>")
    assert header.get("from") == "romeo@example.org"


def test_acknowledgements() -> None:
    """XEP-0198, Acks: a request, and the answer with how many stanzas were handled."""
    assert parsed(ACKNOWLEDGEMENT_REQUEST).tag == "{urn:xmpp:sm:3}r"
    assert parsed(acknowledgement(7)).attrib == {"h": "7"}


@pytest.mark.parametrize("after", [b"", b"28482-98726-73623"])
def test_a_page_of_the_archive(after: bytes) -> None:
    """XEP-0313, Limiting results: so many, behind the last one that is known."""
    query = parsed(archive_query(b"q1", 50, after))[0]
    rsm = query.find(f"{RSM}set")
    assert query.tag == "{urn:xmpp:mam:2}query"
    assert rsm is not None
    assert rsm.findtext(f"{RSM}max") == "50"
    assert (rsm.findtext(f"{RSM}after") or "").encode() == after


@given(st.integers(0, 30), st.data())
def test_counting_does_not_depend_on_the_cuts(count: int, data: st.DataObject) -> None:
    """Any chunking of the same bytes gives the same count."""
    stream = b"<body>x</body>" * count
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    counter = Counter(b"</body>")
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert sum(counter.feed(piece) for piece in pieces) == count
    assert counter.total == count
