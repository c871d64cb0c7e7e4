"""XEP-0198: Stream Management: elements, counts, and the queue of what is not acknowledged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.protocol.element import E
from xmppd.protocol.errors import BadRequest, ItemNotFound, StreamError, UnexpectedRequest
from xmppd.protocol.stream_management import (
    ANSWER,
    ASK,
    ENABLE,
    FEATURE,
    MODULUS,
    NS,
    RESUME,
    Bounds,
    Claim,
    Outgoing,
    Wish,
    answer,
    enabled,
    failed,
    read_answer,
    read_enable,
    read_resume,
    resumed,
)
from xmppd.protocol.writer import serialise

BOUNDS = Bounds(stanzas=20, size=1000, ask_stanzas=5, ask_size=100)
NO_COUNTS = [None, "", " ", "-1", "+1", "1.0", "0x1", "1e3", " 1", "1 ", "4294967296", "99999999999", "٣", "1_0"]


def outgoing(count: int = 0, *, acknowledged: int = 0) -> Outgoing:
    """Return a queue in which so many stanzas wait."""
    made = Outgoing(BOUNDS)
    made.acknowledged = acknowledged
    for number in range(1, count + 1):
        made.add(b"<message/>", number)
    return made


class TestElements:
    """What we say is what the XEP's examples say."""

    def test_feature(self) -> None:
        """Stream Feature."""
        assert serialise(FEATURE) == b"<sm xmlns='urn:xmpp:sm:3'/>"

    def test_enabled(self) -> None:
        """Enabling Stream Management, without resumption and with it."""
        assert enabled(None, 600) == E(f"{{{NS}}}enabled")
        assert enabled("some-long-sm-id", 600) == E(f"{{{NS}}}enabled", id="some-long-sm-id", resume="true", max="600")
        assert enabled("x", 600, "[2001:41D0:1:A49b::1]:9222").get("location") == "[2001:41D0:1:A49b::1]:9222"

    def test_acks(self) -> None:
        """Acks; a count that has passed 2^32 begins at 0 again."""
        assert ASK == b"<r xmlns='urn:xmpp:sm:3'/>"
        assert answer(1) == b"<a xmlns='urn:xmpp:sm:3' h='1'/>"
        assert answer(MODULUS - 1) == b"<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"
        assert answer(MODULUS) == b"<a xmlns='urn:xmpp:sm:3' h='0'/>"

    def test_resumed(self) -> None:
        """Resumption."""
        assert resumed("some-long-sm-id", MODULUS + 3) == E(f"{{{NS}}}resumed", previd="some-long-sm-id", h="3")

    def test_failed(self) -> None:
        """Error Handling: the condition of a stanza error; a count if one is known."""
        plain = failed(UnexpectedRequest())
        assert [child.name for child in plain.elements()] == ["{urn:ietf:params:xml:ns:xmpp-stanzas}unexpected-request"]
        assert plain.get("h") is None
        assert failed(ItemNotFound(), 0).get("h") == "0"
        told = failed(BadRequest("h is a number"))
        assert told.text_of("{urn:ietf:params:xml:ns:xmpp-stanzas}text") == "h is a number"


class TestReading:
    """What clients say is read strictly."""

    @pytest.mark.parametrize(
        ("attributes", "wish"),
        [
            ({}, Wish(False, None)),
            ({"resume": "true"}, Wish(True, None)),
            ({"resume": "1"}, Wish(True, None)),
            ({"resume": "false"}, Wish(False, None)),
            ({"resume": "0", "max": "0"}, Wish(False, 0)),
            ({"resume": "true", "max": "4294967295"}, Wish(True, MODULUS - 1)),
        ],
    )
    def test_enable(self, attributes: dict[str, str], wish: Wish) -> None:
        """Both styles of xs:boolean."""
        assert read_enable(E(ENABLE, attributes)) == wish

    @pytest.mark.parametrize("resume", ["", "True", "yes", "2", " true"])
    def test_no_boolean(self, resume: str) -> None:
        """Nothing else is a boolean."""
        with pytest.raises(BadRequest):
            read_enable(E(ENABLE, resume=resume))

    @pytest.mark.parametrize("text", NO_COUNTS[1:])
    def test_no_maximum(self, text: str) -> None:
        """The time is an unsigned integer."""
        with pytest.raises(BadRequest):
            read_enable(E(ENABLE, max=text))

    def test_resume(self) -> None:
        """Both attributes are needed."""
        assert read_resume(E(RESUME, previd="x", h="4294967295")) == Claim("x", MODULUS - 1)

    @pytest.mark.parametrize("text", NO_COUNTS)
    def test_resume_without_count(self, text: str | None) -> None:
        """A count is an unsigned integer."""
        with pytest.raises(BadRequest):
            read_resume(E(RESUME, previd="x", h=text))

    @pytest.mark.parametrize("previd", [None, "", "a" * 4001, "ä" * 2001])
    def test_resume_without_id(self, previd: str | None) -> None:
        """An id has something in it, and not more than the XEP lets it."""
        with pytest.raises(BadRequest):
            read_resume(E(RESUME, previd=previd, h="0"))

    def test_answer(self) -> None:
        """A count, which may be anything below 2^32."""
        assert read_answer(E(ANSWER, h="0012")) == 12

    @pytest.mark.parametrize("text", NO_COUNTS)
    def test_answer_without_count(self, text: str | None) -> None:
        """An answer without a count is no answer."""
        with pytest.raises(StreamError) as raised:
            read_answer(E(ANSWER, h=text))
        assert raised.value.condition == "invalid-xml"


class TestQueue:
    """What is not acknowledged waits."""

    def test_acknowledged_in_order(self) -> None:
        """A count takes the oldest, and says which rows they are."""
        queue = outgoing(4)
        assert queue.take(3) == [(b"<message/>", 1), (b"<message/>", 2), (b"<message/>", 3)]
        assert (queue.sent, queue.size, list(queue.queue)) == (4, 10, [(b"<message/>", 4)])
        assert queue.take(3) == []

    def test_wraps_around(self) -> None:
        """Behind 2^32-1 comes 0, whether some or all are acknowledged."""
        queue = outgoing(4, acknowledged=MODULUS - 2)
        assert queue.sent == 2
        assert len(queue.take(MODULUS - 1)) == 1
        assert len(queue.take(1)) == 2
        assert queue.take(2) == [(b"<message/>", 4)]
        assert queue.acknowledged == 2

    @pytest.mark.parametrize(("acknowledged", "h"), [(0, 5), (MODULUS - 2, 3), (3, 2), (0, MODULUS - 1)])
    def test_too_high(self, acknowledged: int, h: int) -> None:
        """More than was sent, or less than was acknowledged: told exactly, and nothing is taken."""
        queue = outgoing(4, acknowledged=acknowledged)
        with pytest.raises(StreamError) as raised:
            queue.take(h)
        specific = raised.value.specific
        assert specific is not None
        assert specific == E(f"{{{NS}}}handled-count-too-high", {"h": str(h), "send-count": str(queue.sent)})
        assert raised.value.condition == "undefined-condition"
        assert len(queue.queue) == 4

    @given(st.integers(0, MODULUS - 1), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9))))
    def test_counts_what_it_has(self, start: int, steps: list[tuple[int, int]]) -> None:
        """Whatever is sent and acknowledged from wherever on: what is sent less what is taken is what waits."""
        queue = outgoing(acknowledged=start)
        sent = taken = 0
        for more, acknowledged in steps:
            for _ in range(more):
                queue.add(b"abc", sent)
                sent += 1
            acknowledged = min(acknowledged, sent - taken)
            got = queue.take((start + taken + acknowledged) % MODULUS)
            assert [row for _, row in got] == list(range(taken, taken + acknowledged))
            taken += acknowledged
            assert (len(queue.queue), queue.size) == (sent - taken, 3 * (sent - taken))
            assert queue.sent == (start + sent) % MODULUS


class TestAsking:
    """At most one request is on its way."""

    def test_first_one(self) -> None:
        """The first stanza is something to be asked for when the stream is idle, not at once."""
        queue = outgoing()
        assert queue.add(b"a", 0)
        assert queue.is_due
        assert not queue.may_ask
        queue.put_off()
        assert not queue.add(b"b", 0)

    def test_behind_so_many(self) -> None:
        """The fifth is asked for at once."""
        queue = outgoing(1)
        queue.put_off()
        assert [queue.add(b"a", 0) for _ in range(4)] == [False, False, False, True]
        assert queue.may_ask

    def test_behind_so_much(self) -> None:
        """So is one that makes it a hundred bytes."""
        queue = outgoing(1)
        queue.put_off()
        assert not queue.add(b"a" * 89, 0)
        assert queue.add(b"a", 0)
        assert queue.may_ask

    def test_not_again(self) -> None:
        """Until the answer comes nobody asks, however much is sent."""
        queue = outgoing(5)
        queue.asked()
        assert not any(queue.add(b"a", 0) for _ in range(15))
        assert not queue.may_ask
        assert not queue.is_due

    def test_answered(self) -> None:
        """An answer that does not count everything leaves something to be asked for."""
        queue = outgoing(5)
        queue.asked()
        queue.take(3)
        assert queue.is_due
        queue.take(5)
        assert not queue.is_due

    @pytest.mark.parametrize("is_asked", [True, False])
    def test_over(self, is_asked: bool) -> None:
        """One stanza too many, or one byte, is told, whoever was asked."""
        queue = outgoing(20)
        queue.asked() if is_asked else queue.put_off()
        assert not queue.is_over
        assert queue.add(b"a", 0)
        assert queue.is_over
        heavy = outgoing()
        heavy.asked() if is_asked else heavy.put_off()
        assert heavy.add(b"a" * 1001, 0)
        assert heavy.is_over

    def test_another_stream(self) -> None:
        """On another stream everything is sent again, and nobody was asked there."""
        queue = outgoing(3)
        queue.asked()
        assert queue.restart() == [b"<message/>"] * 3
        assert queue.is_due
        assert queue.sent == 3
