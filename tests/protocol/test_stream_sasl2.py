"""XEP-0388 on a client's stream as a value: the other profile of SASL, which restarts nothing."""

import pytest

from xmppd.protocol import sasl2
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.events import (
    AuthAborted,
    AuthResponse,
    BindRequested,
    StreamStarted,
    TaskDataReceived,
    TaskStarted,
)
from xmppd.protocol.negotiation import State
from xmppd.protocol.stream import Stream

from .test_stream import AUTH, HOST, MESSAGE, fails, header, new, secured, told

AUTHENTICATE = b"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>"
NEXT = b"<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>"
TASK_DATA = b"<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>YQ==</hash></task-data>"
FEATURES = b"<stream:features/>"
SUCCESS = sasl2.success("juliet@capulet.example")


def exchanging() -> Stream:
    stream = secured()
    told(stream, AUTHENTICATE)
    return stream


class TestSasl2:
    """XEP-0388: the other profile, on the same stream."""

    def test_exchange(self) -> None:
        """Challenges and Responses: in its namespace."""
        stream = exchanging()
        stream.challenge("YQ==")
        assert stream.data_to_send() == b"<challenge xmlns='urn:xmpp:sasl:2'>YQ==</challenge>"
        assert told(stream, b"<response xmlns='urn:xmpp:sasl:2'>YQ==</response>") == [AuthResponse("YQ==")]

    def test_failure(self) -> None:
        """Failure: the client may try again, by either profile."""
        stream = exchanging()
        stream.refuse(SaslFailure("not-authorized"))
        assert stream.data_to_send() == (
            b"<failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"
        )
        assert len(told(stream, AUTH)) == 1

    def test_abort(self) -> None:
        """Aborting: answered by the stream itself."""
        stream = exchanging()
        stream.challenge("")
        stream.data_to_send()
        assert told(stream, b"<abort xmlns='urn:xmpp:sasl:2'><text>later</text></abort>") == [AuthAborted()]
        assert b"<aborted" in stream.data_to_send()
        assert stream.state is State.SECURED

    def test_tasks(self) -> None:
        """Continue: a task is asked for, begun and done."""
        stream = exchanging()
        stream.ask_for("UPGR-SCRAM-SHA-256", "dj0=")
        assert stream.data_to_send() == (
            b"<continue xmlns='urn:xmpp:sasl:2'><additional-data>dj0=</additional-data>"
            b"<tasks><task>UPGR-SCRAM-SHA-256</task></tasks></continue>"
        )
        assert told(stream, NEXT) == [TaskStarted("UPGR-SCRAM-SHA-256")]
        stream.send_task_data(E("{urn:x}salt"))
        assert stream.data_to_send() == (b"<task-data xmlns='urn:xmpp:sasl:2'><salt xmlns='urn:x'/></task-data>")
        (data,) = told(stream, TASK_DATA)
        assert isinstance(data, TaskDataReceived)
        assert stream.complete(SUCCESS, FEATURES, is_bound=False) == b""
        assert stream.state is State.AUTHENTICATED

    def test_a_task_that_fails(self) -> None:
        """Multiple Authentication: behind a task nobody authenticates again."""
        stream = exchanging()
        stream.ask_for("UPGR-SCRAM-SHA-256")
        told(stream, NEXT)
        stream.refuse(SaslFailure("malformed-request"))
        assert fails(stream, AUTHENTICATE) == "policy-violation"

    def test_success_without_a_restart(self) -> None:
        """Success: features follow at once; what came ahead is read by the limits that hold now."""
        stream = secured()
        ahead = b"<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" + b" " * 20_000 + b"</iq>"
        told(stream, AUTHENTICATE + ahead[:5000])
        stream.complete(SUCCESS, FEATURES, is_bound=False)
        assert stream.data_to_send().endswith(b"</success>" + FEATURES)
        (event,) = told(stream, ahead[5000:])
        assert isinstance(event, BindRequested)

    def test_success_with_a_resource(self) -> None:
        """XEP-0386: stanzas flow; what was sent ahead of it is returned."""
        stream = secured()
        told(stream, AUTHENTICATE + MESSAGE + b"<pres")
        rest = stream.complete(SUCCESS, FEATURES, is_bound=True)
        assert rest == MESSAGE + b"<pres"
        assert stream.is_bound
        assert len(stream.stanzas(rest)) == 1
        assert len(stream.stanzas(b"ence/>")) == 1

    def test_an_unusual_header_stays_known(self) -> None:
        """Prefixes of the stream header hold for the whole stream, which nothing restarts."""
        stream = new(secure=True)
        told(stream, header(x="").replace(b" x=''", b" xmlns:x='urn:x'"))
        stream.open(HOST, "id", [])
        told(stream, AUTHENTICATE)
        stream.complete(SUCCESS, FEATURES, is_bound=True)
        (message,) = stream.stanzas(b"<message><x:y/></message>")
        assert isinstance(message, Element)
        assert message.child("{urn:x}y") is not None

    @pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1000])
    def test_in_any_pieces(self, size: int) -> None:
        """A stream that is pipelined is read the same however its bytes are cut."""
        stream = new(secure=True)
        said = header() + AUTHENTICATE.replace(b"/>", b"><a>b</a></authenticate>") + MESSAGE
        bound = []
        for start in range(0, len(said), size):
            data = said[start : start + size]
            if stream.is_bound:
                bound += stream.stanzas(data)
                continue
            stream.receive_data(data)
            while (event := stream.next_event()) is not None:
                if isinstance(event, StreamStarted):
                    stream.open(HOST, "id", [])
                else:
                    bound += stream.stanzas(stream.complete(SUCCESS, FEATURES, is_bound=True))
        assert [element.local for element in bound if isinstance(element, Element)] == ["message"]
