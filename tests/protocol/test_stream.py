"""A client's stream as a value: what comes in, what it tells, what goes out."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, Misuse, SaslFailure, StreamError
from xmppd.protocol.events import (
    AuthAborted,
    AuthResponse,
    AuthStarted,
    BindRequested,
    NonzaReceived,
    RequestBeforeLogin,
    StartTlsRequested,
    StreamEnded,
    StreamEvent,
    StreamStarted,
)
from xmppd.protocol.header_rules import at_least_version_1, language_of
from xmppd.protocol.jid import Jid
from xmppd.protocol.negotiation import State
from xmppd.protocol.parser import ParserPool
from xmppd.protocol.stream import Stream, unknown_element
from xmppd.protocol.tree import Limits

HOST = "capulet.example"
JULIET = Jid("juliet@capulet.example/balcony")
EARLY = Limits(size=10_000, children=64)
LATER = Limits()
STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
AUTH = b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldAByMG0zMG15cjBtMzA=</auth>"
RESPONSE = b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YQ==</response>"
ABORT = b"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
REQUEST = b"<iq id='r' type='get'><query xmlns='jabber:iq:register'/></iq>"
BIND = b"<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>"
MESSAGE = b"<message to='romeo@montague.example'><body>x</body></message>"
CLOSE = b"</stream:stream>"


def header(
    *,
    content: str | None = "jabber:client",
    stream: str = "http://etherx.jabber.org/streams",
    name: str = "stream:stream",
    **attributes: str | None,
) -> bytes:
    """Return a stream header; an attribute of None is left out."""
    named = {"version": "1.0", "to": HOST, **attributes}
    written = "".join(f" {key.rstrip('_')}='{value}'" for key, value in named.items() if value is not None)
    default = "" if content is None else f" xmlns='{content}'"
    return f"<?xml version='1.0'?><{name}{default} xmlns:stream='{stream}'{written}>".encode()


def new(**options: bool) -> Stream:
    """Return a stream on which nothing was said."""
    return Stream(ParserPool(EARLY), ParserPool(LATER), **options)


def told(stream: Stream, data: bytes = b"") -> list[StreamEvent]:
    """Give it bytes and return what it tells until it wants an answer or has nothing more."""
    stream.receive_data(data)
    events = []
    while (event := stream.next_event()) is not None:
        events.append(event)
    return events


def opened(stream: Stream) -> Stream:
    """Open the stream and forget the answer."""
    (event,) = told(stream, header())
    assert isinstance(event, StreamStarted)
    stream.open(HOST, "id", [])
    stream.data_to_send()
    return stream


def secured() -> Stream:
    return opened(new(secure=True))


def authenticating() -> Stream:
    stream = secured()
    told(stream, AUTH)
    stream.challenge("YQ==")
    stream.data_to_send()
    return stream


def authenticated() -> Stream:
    stream = secured()
    told(stream, AUTH)
    stream.succeed()
    return opened(stream)


def bound() -> Stream:
    stream = authenticated()
    (event,) = told(stream, BIND)
    assert isinstance(event, BindRequested)
    assert stream.bind(event, JULIET) == b""
    stream.data_to_send()
    return stream


def fails(stream: Stream, data: bytes) -> str:
    """Give it bytes that it must refuse; return the condition."""
    with pytest.raises(StreamError) as error:
        told(stream, data)
    return error.value.condition


class TestHeader:
    """RFC 6120, 4.7 and 4.8."""

    def test_answer(self) -> None:
        """4.7: our header says from, id, version and language; the features follow (4.3.2)."""
        stream = new()
        assert told(stream, header(from_="juliet@capulet.example")) == [
            StreamStarted(HOST, None, "juliet@capulet.example")
        ]
        stream.open(HOST, "a'b", [E("{urn:x}feature")], "juliet@capulet.example")
        assert stream.data_to_send() == (
            b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            b" version='1.0' xml:lang='en' from='capulet.example' id='a&apos;b' to='juliet@capulet.example'>"
            b"<stream:features><feature xmlns='urn:x'/></stream:features>"
        )
        assert stream.data_to_send() == b""

    def test_without_sender(self) -> None:
        """4.7.2: a header that does not say who it is from is answered by one that is addressed to nobody."""
        stream = new()
        told(stream, header())
        stream.open(HOST, "id", [])
        assert b" to=" not in stream.data_to_send()

    def test_missing_address(self) -> None:
        """4.7.2: whether there must be a `to` is for the driver to say."""
        assert told(new(), header(to=None)) == [StreamStarted(None, None)]

    @pytest.mark.parametrize(
        ("given", "condition"),
        [
            (header(stream="http://wrong.namespace.example.org/"), "invalid-namespace"),
            (header(content="http://wrong.namespace.example.org/"), "invalid-namespace"),
            (header(content="jabber:server"), "invalid-namespace"),
            (header(name="stream:features"), "bad-format"),
            (header(name="stream"), "invalid-namespace"),
            (header(version=None), "unsupported-version"),
            (header(version="0.9"), "unsupported-version"),
            (header(version="one"), "unsupported-version"),
            (header(version="1"), "unsupported-version"),
            (AUTH, "invalid-namespace"),
            (MESSAGE, "invalid-namespace"),
            (b"GET / HTTP/1.1\r\nHost: capulet.example\r\n\r\n", "not-well-formed"),
            (header() + header(), "not-well-formed"),
        ],
    )
    def test_wrong_headers(self, given: bytes, condition: str) -> None:
        """4.8.1, 4.8.2, 4.7.5 and 4.9.3: each fault has its condition."""
        stream = new()
        if given.count(b"<?xml") == 2:
            opened(stream)
            given = header()
        assert fails(stream, given) == condition

    @pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "01.0", "10.3", "0000000001.0"])
    def test_versions_we_speak(self, version: str) -> None:
        """4.7.5: what is higher is answered by ours; leading zeros mean nothing."""
        assert at_least_version_1(version)

    @pytest.mark.parametrize(
        "version", [None, "", "0.9", "0.10", "00.9", "-1.0", "1.", ".1", "1.0 ", "\u0661.0", "9" * 50]
    )
    def test_versions_we_do_not_speak(self, version: str | None) -> None:
        """4.7.5: a missing version is 0.9, and a version is two numbers."""
        assert not at_least_version_1(version)

    @pytest.mark.parametrize("prefix", ["", "foo"])
    def test_other_prefixes(self, prefix: str) -> None:
        """4.8.5: the prefixes are the client's choice."""
        stream = new(secure=True)
        colon = ":" if prefix else ""
        content = " xmlns:c='jabber:client'" if not prefix else " xmlns='jabber:client'"
        declared = "xmlns" + (f":{prefix}" if prefix else "")
        told(
            stream,
            f"<{prefix}{colon}stream{content} {declared}='http://etherx.jabber.org/streams' to='a' version='1.0'>".encode(),
        )
        stream.open(HOST, "id", [])
        (event,) = told(stream, AUTH)
        assert isinstance(event, AuthStarted)

    @pytest.mark.parametrize("tag", ["en", "de-CH-1996", "x-klingon"])
    def test_language(self, tag: str) -> None:
        """4.7.4: the language of the stream is that of stanzas that name none."""
        stream = new()
        assert told(stream, header(**{"xml:lang": tag})) == [StreamStarted(HOST, tag)]
        assert stream.lang == tag

    @pytest.mark.parametrize("tag", ["", "not a language", "en_US", "a-" * 40 + "a", "deutschland"])
    def test_what_is_no_language(self, tag: str) -> None:
        """RFC 5646, 2.1: what is no tag, or longer than any, would be copied into each stanza; it is ignored."""
        assert language_of(tag) is None

    def test_one_header_at_a_time(self) -> None:
        """Nothing is read until the header is answered."""
        stream = new(secure=True)
        assert len(told(stream, header() + AUTH)) == 1
        stream.open(HOST, "id", [])
        assert len(told(stream)) == 1


class TestStartTls:
    """RFC 6120, 5.4."""

    def test_proceed(self) -> None:
        """5.4.2.3: the answer is <proceed/>, and the stream starts anew (5.4.3.3)."""
        stream = opened(new())
        assert told(stream, STARTTLS) == [StartTlsRequested()]
        stream.proceed()
        assert stream.data_to_send() == b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        assert stream.state is State.SECURED
        opened(stream)

    @pytest.mark.parametrize("more", [header(), AUTH, MESSAGE, b"x", b"\x16\x03\x01"])
    def test_nothing_that_came_in_clear_is_read(self, more: bytes) -> None:
        """5.3.1: what somebody put behind <starttls/> in the clear ends the stream and is never looked at."""
        stream = opened(new())
        assert told(stream, STARTTLS + more) == [StartTlsRequested()]
        with pytest.raises(StreamError) as error:
            stream.proceed()
        assert error.value.condition == "policy-violation"
        stream.fail(error.value)
        assert b"proceed" not in stream.data_to_send()
        assert told(stream) == []

    def test_what_comes_before_the_answer(self) -> None:
        """The same holds for bytes of a later packet."""
        stream = opened(new())
        told(stream, STARTTLS)
        assert told(stream, AUTH) == []
        with pytest.raises(StreamError):
            stream.proceed()

    def test_white_space_behind(self) -> None:
        """White space is no content: it is dropped with everything else that came in clear."""
        stream = opened(new())
        told(stream, STARTTLS + b"\r\n ")
        stream.proceed()
        opened(stream)

    def test_namespaces_do_not_survive(self) -> None:
        """The parser that read the clear stream is gone, prefixes included."""
        stream = new()
        told(stream, header(**{"xmlns:tls": "urn:ietf:params:xml:ns:xmpp-tls"}))
        stream.open(HOST, "id", [])
        assert told(stream, b"<tls:starttls/>") == [StartTlsRequested()]
        stream.proceed()
        opened(stream)
        assert fails(stream, b"<tls:starttls/>") == "bad-namespace-prefix"

    def test_tls_first(self) -> None:
        """5.3.1: where TLS is required nothing else is taken before."""
        assert fails(opened(new()), AUTH) == "policy-violation"
        assert fails(opened(new()), REQUEST) == "policy-violation"

    def test_twice(self) -> None:
        """TLS inside TLS is not asked for, whether it came by STARTTLS, directly, or is merely possible."""
        stream = opened(new())
        told(stream, STARTTLS)
        stream.proceed()
        assert fails(opened(stream), STARTTLS) == "not-authorized"
        stream = opened(new(secure=True, plain_allowed=True))
        told(stream, AUTH)
        stream.refuse(SaslFailure())
        assert fails(stream, STARTTLS) == "not-authorized"

    def test_authentication_in_clear(self) -> None:
        """A listener may let clients authenticate without TLS; they may still begin it after a failure."""
        stream = opened(new(plain_allowed=True))
        assert isinstance(told(stream, AUTH)[0], AuthStarted)
        stream.refuse(SaslFailure())
        assert told(stream, STARTTLS) == [StartTlsRequested()]


class TestSasl:
    """RFC 6120, 6.4."""

    @pytest.mark.parametrize(
        ("inner", "text"), [("/>", None), ("></auth>", None), (">=</auth>", "="), (">YQ==</auth>", "YQ=="),
                            (">\n YQ==\n</auth>", "YQ=="), ("> </auth>", "")],
    )  # fmt: skip
    def test_initial_response(self, inner: str, text: str | None) -> None:
        """6.4.2: it may be missing, which is not the same as empty ("=")."""
        auth = f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'{inner}"
        assert told(secured(), auth.encode()) == [AuthStarted("PLAIN", text)]

    def test_missing_mechanism(self) -> None:
        """6.4.2: a mechanism that is not named is one that does not exist."""
        assert told(secured(), b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>") == [AuthStarted("", None)]

    def test_exchange(self) -> None:
        """6.4.3 to 6.4.6: challenge, response, success."""
        stream = secured()
        told(stream, AUTH)
        stream.challenge("")
        assert stream.data_to_send() == b"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        assert told(stream, RESPONSE) == [AuthResponse("YQ==")]
        stream.challenge("YQ==")
        assert stream.data_to_send() == b"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YQ==</challenge>"
        assert told(stream, RESPONSE) == [AuthResponse("YQ==")]
        stream.succeed("dg==")
        assert stream.data_to_send() == b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>dg==</success>"
        assert stream.state is State.AUTHENTICATED

    def test_failure(self) -> None:
        """6.4.5: the client may try again on the same stream."""
        stream = secured()
        told(stream, AUTH)
        stream.refuse(SaslFailure("not-authorized"))
        assert stream.data_to_send() == (
            b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"
        )
        assert isinstance(told(stream, AUTH)[0], AuthStarted)

    def test_abort(self) -> None:
        """6.4.4: an abort is answered with the failure `aborted`; another try may follow."""
        stream = authenticating()
        assert told(stream, ABORT) == [AuthAborted()]
        assert stream.data_to_send() == b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>"
        assert isinstance(told(stream, AUTH)[0], AuthStarted)

    @pytest.mark.parametrize("given", [RESPONSE, ABORT])
    def test_without_exchange(self, given: bytes) -> None:
        """A response or an abort belongs to an exchange."""
        assert fails(secured(), given) == "not-authorized"

    @pytest.mark.parametrize("given", [AUTH, REQUEST, MESSAGE, STARTTLS, BIND])
    def test_inside_an_exchange(self, given: bytes) -> None:
        """Nothing but its own elements may come in an exchange."""
        assert fails(authenticating(), given) == "not-authorized"

    def test_twice(self) -> None:
        """6.4.6: who is authenticated does not authenticate again."""
        assert fails(authenticated(), AUTH) == "policy-violation"
        assert fails(authenticated(), STARTTLS) == "policy-violation"

    @pytest.mark.parametrize("space", [b"", b" ", b"\r\n\t "])
    def test_pipelined_restart(self, space: bytes) -> None:
        """4.3.3: what came behind is the new stream, whatever white space ended the old one."""
        stream = secured()
        told(stream, AUTH + space + header() + BIND)
        stream.succeed()
        assert isinstance(told(stream)[0], StreamStarted)
        stream.open(HOST, "id", [])
        assert isinstance(told(stream)[0], BindRequested)

    def test_limits_grow(self) -> None:
        """Architecture rule 1: what is small before authentication is larger behind it."""
        large = (
            b"<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + b" " * 20_000 + b"</bind></iq>"
        )
        assert fails(secured(), large) == "policy-violation"
        assert isinstance(told(authenticated(), large)[0], BindRequested)

    def test_flood_ahead_of_an_answer(self) -> None:
        """Who is owed an answer may send ahead no more than one element may have."""
        stream = secured()
        told(stream, AUTH)
        told(stream, b" " * 10_000)
        assert fails(stream, b" ") == "policy-violation"


class TestBinding:
    """RFC 6120, 7."""

    @pytest.mark.parametrize("inner", ["/>", "><resource/></bind>", "></bind>"])
    def test_server_chooses(self, inner: str) -> None:
        """7.6: no resource, or an empty one, leaves the choice to the server."""
        data = f"<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'{inner}</iq>".encode()
        (event,) = told(authenticated(), data)
        assert isinstance(event, BindRequested)
        assert event.resource is None

    def test_result(self) -> None:
        """7.6.1: the result carries the full JID."""
        stream = authenticated()
        (event,) = told(stream, BIND)
        assert isinstance(event, BindRequested)
        assert event.resource == "balcony"
        stream.bind(event, JULIET)
        assert stream.data_to_send() == (
            b"<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            b"<jid>juliet@capulet.example/balcony</jid></bind></iq>"
        )
        assert stream.is_bound

    def test_what_is_echoed_is_escaped(self) -> None:
        """The request's id and its resource come back as they were, whatever is in them."""
        stream = authenticated()
        (event,) = told(stream, BIND.replace(b"id='b'", b"id='&apos;&lt;&amp;&#10;'"))
        assert isinstance(event, BindRequested)
        stream.bind(event, JULIET.with_resource("<a&b>"))
        element = ET.fromstring(stream.data_to_send())
        assert element.get("id") == "'<&\n"
        assert [child.text for child in element.iter() if child.tag.endswith("}jid")] == [
            "juliet@capulet.example/<a&b>"
        ]

    def test_refusal(self) -> None:
        """7.7.3: the client may try again."""
        stream = authenticated()
        (event,) = told(stream, BIND)
        assert isinstance(event, BindRequested)
        stream.answer(event.element, error=BadRequest())
        assert b"<iq type='error' id='b'><error type='modify' code='400'><bad-request" in stream.data_to_send()
        assert isinstance(told(stream, BIND)[0], BindRequested)

    @pytest.mark.parametrize(
        "given",
        [
            MESSAGE,
            b"<presence/>",
            REQUEST,
            BIND.replace(b"set", b"get"),
            b"<iq id='1' type='result'/>",
            b"<iq id='1' type='set'/>",
        ],
    )
    def test_stanzas_before(self, given: bytes) -> None:
        """7.1: no stanza but the request to bind comes before a resource is bound."""
        assert fails(authenticated(), given) == "not-authorized"

    def test_stanzas_before_authentication(self) -> None:
        """4.9.3.12: nor before authentication; a request may be one that a module takes (XEP-0077)."""
        assert fails(secured(), MESSAGE) == "not-authorized"
        assert fails(secured(), b"<iq id='1' type='result'/>") == "not-authorized"
        stream = secured()
        (event,) = told(stream, REQUEST)
        assert isinstance(event, RequestBeforeLogin)
        stream.answer(event.element, E("{urn:x}a"))
        assert stream.data_to_send() == b"<iq type='result' id='r'><a xmlns='urn:x'/></iq>"
        (event,) = told(stream, b"<iq type='get'><query xmlns='jabber:iq:register'/></iq>")
        assert isinstance(event, RequestBeforeLogin)
        stream.answer(event.element)
        assert stream.data_to_send() == b"<iq type='result'/>"

    def test_what_was_sent_ahead(self) -> None:
        """Bytes behind the request are the session's first."""
        stream = authenticated()
        (event,) = told(stream, BIND + MESSAGE + b"<pres")
        assert isinstance(event, BindRequested)
        rest = stream.bind(event, JULIET)
        assert rest == MESSAGE + b"<pres"
        (message,) = stream.stanzas(rest)
        assert isinstance(message, Element)
        (presence,) = stream.stanzas(b"ence/>")
        assert isinstance(presence, Element)
        assert presence.local == "presence"


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        (secured, "not-authorized"),
        (authenticating, "not-authorized"),
    ],
)
def test_unknown_elements(where: Callable[[], Stream], condition: str) -> None:
    """4.9.3.24 and 4.9.3.12: an element that nobody knows ends the stream."""
    assert fails(where(), b"<a xmlns='urn:x'/>") == condition


def test_elements_behind_authentication() -> None:
    """XEP-0360: before a resource is bound, a driver may know an element that the stream does not."""
    stream = authenticated()
    assert told(stream, b"<a xmlns='urn:x'/>") == [NonzaReceived(E("{urn:x}a"))]
    assert told(stream, b"<b xmlns='urn:x'/>") == []
    stream.say(E("{urn:x}no"))
    assert stream.data_to_send() == b"<no xmlns='urn:x'/>"
    assert stream.next_event() == NonzaReceived(E("{urn:x}b"))


def test_earlier_session_goes_on() -> None:
    """XEP-0198: resumption takes the place of resource binding; what came behind the request is for the session."""
    stream = authenticated()
    assert told(stream, b"<a xmlns='urn:x'/>" + MESSAGE) == [NonzaReceived(E("{urn:x}a"))]
    assert stream.resume(E("{urn:x}yes")) == MESSAGE
    assert stream.data_to_send() == b"<yes xmlns='urn:x'/>"
    assert stream.is_bound


def test_unknown_elements_behind_the_end() -> None:
    """What preceded the client's end tag is judged as on a bound stream, even if the tag was read already."""
    assert unknown_element(E("{urn:x}a"), State.CLOSED).condition == "unsupported-stanza-type"
    assert unknown_element(E("{urn:x}a"), State.BOUND).condition == "unsupported-stanza-type"


class TestStanzas:
    """The short way of a bound stream."""

    def test_in_pieces(self) -> None:
        """Stanzas come when they are whole."""
        stream = bound()
        data = MESSAGE * 3
        whole = [item for at in range(0, len(data), 7) for item in stream.stanzas(data[at : at + 7])]
        assert [item.local for item in whole if isinstance(item, Element)] == ["message"] * 3

    def test_keepalive(self) -> None:
        """4.6.1: white space between stanzas is nothing, and costs no parser."""
        assert bound().stanzas(b" \n") == []

    def test_end(self) -> None:
        """4.4: the end tag is the last thing; what is behind it is not read."""
        stream = bound()
        message, end = stream.stanzas(MESSAGE + CLOSE)
        assert isinstance(message, Element)
        assert isinstance(end, StreamEnded)
        assert stream.is_closed

    def test_error_is_last(self) -> None:
        """What was whole before a fault is still told."""
        message, error = bound().stanzas(MESSAGE + b"<!-- -->")
        assert isinstance(message, Element)
        assert isinstance(error, StreamError)
        assert error.condition == "restricted-xml"

    def test_unusual_header(self) -> None:
        """A stream with declarations of its own keeps its parser, and they hold."""
        stream = new(secure=True)
        told(stream, header())
        stream.open(HOST, "id", [])
        told(stream, AUTH)
        stream.succeed()
        told(stream, header(**{"xmlns:x": "urn:x"}))
        stream.open(HOST, "id", [])
        (event,) = told(stream, BIND)
        assert isinstance(event, BindRequested)
        stream.bind(event, JULIET)
        for _ in range(3):
            (message,) = stream.stanzas(b"<message><x:a/></message>")
            assert isinstance(message, Element)
            assert message.child("{urn:x}a") is not None


class TestClosing:
    """RFC 6120, 4.4 and 4.9.1."""

    @pytest.mark.parametrize("where", [secured, authenticating, authenticated])
    def test_client_closes(self, where: Callable[[], Stream]) -> None:
        """4.4: an end tag is answered with an end tag, at each stage."""
        stream = where()
        stream.data_to_send()
        assert told(stream, CLOSE) == [StreamEnded()]
        stream.close()
        assert stream.data_to_send() == CLOSE
        assert stream.is_closed

    def test_client_gives_up(self) -> None:
        """4.9.1.1: an error from the other side ends the stream and is not answered with an error."""
        stream = secured()
        data = b"<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        assert told(stream, data + CLOSE) == [StreamEnded()]
        stream.close()
        assert stream.data_to_send() == CLOSE

    def test_error(self) -> None:
        """4.9.1.1: the error, then the end tag."""
        stream = secured()
        stream.fail(StreamError("conflict"))
        assert stream.data_to_send() == (
            b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        )
        stream.fail(StreamError("conflict"))
        stream.close()
        assert stream.data_to_send() == b""

    @pytest.mark.parametrize("where", ["before", "after tls", "after sasl"])
    def test_error_before_our_header(self, where: str) -> None:
        """4.9.1.2: an error needs a stream to stand in, so a header comes first."""
        stream = new(secure=where == "after sasl")
        if where == "after tls":
            told(opened(stream), STARTTLS)
            stream.proceed()
        elif where == "after sasl":
            told(opened(stream), AUTH)
            stream.succeed()
        stream.data_to_send()
        stream.fail(StreamError("host-unknown"), "default.example", "id")
        host = b"default.example" if where == "before" else HOST.encode()
        sent = stream.data_to_send()
        assert sent.startswith(b"<?xml version='1.0'?><stream:stream ")
        assert b" from='" + host + b"' id='id'" in sent
        assert sent.endswith(b"</stream:error></stream:stream>")

    def test_nothing_is_read_behind_the_end(self) -> None:
        """A stream that is closed neither reads nor complains."""
        stream = secured()
        stream.close()
        assert told(stream, AUTH + b"<<<") == []


class TestMisuse:
    """Answers that nobody asked for are mistakes of our own."""

    @pytest.mark.parametrize(
        "answer",
        [
            lambda stream: stream.open(HOST, "id", []),
            lambda stream: stream.proceed(),
            lambda stream: stream.challenge(""),
            lambda stream: stream.succeed(),
            lambda stream: stream.refuse(SaslFailure()),
            lambda stream: stream.bind(BindRequested(E("iq"), None), JULIET),
            lambda stream: stream.answer(E("iq")),
        ],
    )
    def test_nothing_to_answer(self, answer: Callable[[Stream], object]) -> None:
        """Nothing is sent, nothing changes."""
        stream = secured()
        with pytest.raises(Misuse):
            answer(stream)
        assert stream.data_to_send() == b""
        assert stream.state is State.SECURED
