"""One client's stream as a value: bytes in, events and bytes out (RFC 6120, 4 to 7).

How a driver uses it::

    stream.receive_data(data)
    while (event := stream.next_event()) is not None:   # None: nothing whole, or an answer is owed
        ...                                             # answer it: open, proceed, challenge, succeed, bind, ...
    connection.write(stream.data_to_send())

and, once `is_bound`, the short way that messages take::

    for element in stream.stanzas(data):                # a StreamError, if any, is the last of them
        ...

Any method that reads may raise `StreamError`; the driver answers it with `fail`, writes what there is and closes.
"""

from typing import Any, Final

from . import sasl2
from .early_elements import ABORTS, MEANINGS, PROCEED, bound, sasl_element
from .element import E, Element
from .errors import Misuse, SaslFailure, StanzaError, StreamError
from .events import (
    AuthAborted,
    BindRequested,
    NonzaReceived,
    RequestBeforeLogin,
    StreamEnded,
    StreamEvent,
    StreamStarted,
)
from .header_rules import read_header
from .jid import Jid
from .names import BIND, CLIENT, IQ, KINDS, SASL, STREAM
from .negotiation import Input, Negotiation, State
from .parser import ParserPool, StreamParser
from .plain_header import plain_header
from .tree import Event, StreamHeader
from .writer import escape_attribute, serialise

OVER: Final = (State.BOUND, State.CLOSED)  # nothing more is negotiated
FOOTER: Final = b"</stream:stream>"
BIND_NAME: Final = f"{{{BIND}}}bind"
ERROR: Final = f"{{{STREAM}}}error"


class Stream:
    """A stream that a client opened to us.

    :param early: where parsers come from before authentication; it has the limits for that time.
    :param pool: where they come from behind it.
    :param secure: whether TLS is on already (direct TLS).
    :param plain_allowed: whether the client may authenticate without TLS.
    """

    __slots__ = (
        "_early", "_is_open", "_negotiation", "_out", "_owes", "_parser", "_pool", "_unread", "host", "lang",
    )  # fmt: skip

    def __init__(
        self, early: ParserPool, pool: ParserPool, *, secure: bool = False, plain_allowed: bool = False
    ) -> None:
        self._early = early
        self._pool = pool
        self._negotiation = Negotiation(State.SECURED if secure else State.PLAIN, plain_allowed=plain_allowed)
        self._parser: StreamParser | None = None  # none until a stream header comes, and between stanzas
        self._unread = b""  # what came while there is none
        self._out: list[bytes] = []
        self._owes = False  # an event wants its answer
        self._is_open = False  # our header was sent and our footer was not
        self.host: str | None = None
        self.lang: str | None = None

    # State

    @property
    def state(self) -> State:
        """How far the stream was negotiated."""
        return self._negotiation.state

    @property
    def is_bound(self) -> bool:
        """Whether stanzas flow."""
        return self._negotiation.state is State.BOUND

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will be read."""
        return self._negotiation.state is State.CLOSED

    # Reading

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the other side, to be read by `next_event`."""
        if self.is_closed:
            return
        if self._parser is None:
            self._unread += data
        else:
            self._parser.receive(data)
        if self._owes and self._unread_size() > self._early.limits.size:
            raise StreamError("policy-violation", "too much was sent ahead of an answer")

    def _unread_size(self) -> int:
        return len(self._unread) if self._parser is None else self._parser.unread

    def next_event(self) -> StreamEvent | None:
        """Return the next event; None if there is none or the last one was not answered."""
        negotiation = self._negotiation
        while not self._owes and negotiation.state not in OVER:
            event = self._header_event() if self._parser is None else self._parser.next()
            if event is None:
                return None
            told = self._told(event)
            if told is not None:
                return told
        return None

    def _header_event(self) -> Event | None:
        """Read a stream header, and find the parser for what comes behind it."""
        data, self._unread = self._unread, b""
        if not data:
            return None
        found = plain_header(data)
        if found is None:
            self._parser = StreamParser(self._lender.limits)
            self._parser.receive(data)
            return self._parser.next()
        header, length = found
        self._parser = self._lender.take()
        self._parser.receive(data[length:])
        return header

    @property
    def _lender(self) -> ParserPool:
        """Where parsers come from at this time."""
        return self._pool if self.state in (State.AUTHENTICATED, State.BOUND) else self._early

    def _leave_parser(self) -> bytes:
        """End the reading of a stream; return what came behind its last element."""
        parser, self._parser = self._parser, None
        assert parser is not None
        rest = parser.take_rest()
        if parser.is_usual and parser.at_boundary:
            self._lender.give_back(parser)
        return rest

    def stanzas(self, data: bytes) -> list[Element | StreamEnded | StreamError]:
        """Read `data` on a bound stream; return what became whole, an error or the end last."""
        parser = self._parser
        if parser is None:
            if data.isspace():  # a keep-alive
                return []
            parser = self._pool.take()
        error: StreamError | None = None
        try:
            parser.feed(data)
        except StreamError as wrong:
            error = wrong
        whole: list[Any] = parser.take_events()
        for number, event in enumerate(whole):
            if event.__class__ is not Element:
                self._negotiation.accept(Input.CLOSE)
                return [*whole[:number], StreamEnded()]
        if error is None:
            self._put_down(parser)
        else:
            whole.append(error)
        return whole

    def _put_down(self, parser: StreamParser) -> None:
        """Keep the parser in the middle of a stanza; otherwise lend it to others, or renew it."""
        self._parser = parser
        if not parser.at_boundary:
            return
        if parser.is_usual:
            self._pool.give_back(parser)
            self._parser = None
        elif parser.is_worn:
            parser.renew()

    def _told(self, event: Event) -> StreamEvent | None:
        if isinstance(event, StreamHeader):
            return self._header(event)
        if not isinstance(event, Element):
            self._negotiation.accept(Input.CLOSE)
            return StreamEnded()
        name = event.name
        meaning = MEANINGS.get(name)
        if meaning is not None:
            self._negotiation.accept(meaning[0])
            self._owes = True
            return meaning[1](event)
        if name in KINDS:
            return self._stanza(event)
        if name in ABORTS:
            given, answer = ABORTS[name]
            self._negotiation.accept(given)
            self._out.append(answer)
            return AuthAborted()
        if name == ERROR:  # the other side gives up; an error is not answered with another (RFC 6120, 4.9.1.1)
            self._negotiation.accept(Input.CLOSE)
            return StreamEnded()
        if self.state is State.AUTHENTICATED:
            self._negotiation.accept(Input.NONZA)
            self._owes = True
            return NonzaReceived(event)
        raise unknown_element(event, self.state)

    def _header(self, header: StreamHeader) -> StreamStarted:
        started = read_header(header)
        self.lang = started.lang
        self._owes = True
        return started

    def _stanza(self, element: Element) -> StreamEvent:
        """Read a stanza before resource binding (RFC 6120, 7.1)."""
        payload = element.first
        if element.name != IQ or payload is None or element.get("type") not in ("get", "set"):
            self._negotiation.accept(Input.STANZA)  # which no state before BOUND does
        assert payload is not None, "the table refuses stanzas"
        if self.state is State.AUTHENTICATED and payload.name == BIND_NAME and element.get("type") == "set":
            self._owes = True
            return BindRequested(element, payload.text_of(f"{{{BIND}}}resource") or None)
        self._negotiation.accept(Input.REQUEST)
        self._owes = True
        return RequestBeforeLogin(element)

    # Answers

    def open(self, host: Jid | str, stream_id: str, features: list[Element] | bytes, to: str | None = None) -> None:
        """Answer `StreamStarted`: send our header and the features, or their bytes (see `features_element`)."""
        self._answered()
        self.host = str(host)
        self._send_header(self.host, stream_id, to)
        self._out.append(features if isinstance(features, bytes) else features_element(features))

    def proceed(self) -> None:
        """Answer `StartTlsRequested`. Everything received in clear is forgotten.

        :raises StreamError: something came behind the request, which could be an attempt to inject.
        """
        self._answered()
        if self._leave_parser().strip():
            raise StreamError("policy-violation", "nothing may follow starttls before TLS is on")
        self._out.append(PROCEED)
        self._is_open = False

    def challenge(self, text: str) -> None:
        """Answer what began an exchange, or `AuthResponse`: it goes on; `text` is base64."""
        self._answered()
        namespace = sasl2.NS if self.state is State.EXCHANGING else SASL
        self._out.append(sasl_element("challenge", text, namespace))

    def succeed(self, text: str = "") -> None:
        """Answer `AuthStarted` or `AuthResponse`: the client is who it says, and starts the stream anew."""
        self._answered()
        self._unread = self._leave_parser()
        self._negotiation.accept(Input.SUCCESS)
        self._out.append(sasl_element("success", text))
        self._is_open = False

    def refuse(self, failure: SaslFailure) -> None:
        """Answer what began an exchange, or went on with it: not so; the client may try again, but for a task."""
        self._answered()
        is_old = self.state is State.AUTHENTICATING
        self._negotiation.accept(Input.FAILURE)
        self._send(failure.element() if is_old else sasl2.failure(failure))

    def ask_for(self, task: str, text: str = "") -> None:
        """Answer `AuthenticateStarted`, `AuthResponse` or `TaskDataReceived`: a task is to be done first (XEP-0388).

        :param text: what the mechanism would have sent with the success, in base64.
        """
        self._answered()
        self._negotiation.accept(Input.CONTINUE)
        self._send(sasl2.continuation(task, text))

    def send_task_data(self, *content: Element) -> None:
        """Answer `TaskStarted` or `TaskDataReceived`: the task goes on."""
        self._answered()
        self._send(sasl2.task_data(*content))

    def complete(self, success: Element, features: bytes, *, is_bound: bool) -> bytes:
        """Answer `AuthenticateStarted`, `AuthResponse` or `TaskDataReceived`: the client is who it says (XEP-0388).

        Nothing is restarted. The limits for the time before authentication end here.

        :param features: what is offered now, see `features_element`.
        :param is_bound: whether the client has a resource with that.
        :return: as `bind`; nothing if no resource is bound.
        """
        self._answered()
        self._negotiation.accept(Input.SUCCESS)
        self._send(success)
        self._out.append(features)
        rest = self._change_parser()
        if is_bound:
            self._negotiation.accept(Input.BIND)
            return rest
        if self._parser is None:
            self._parser = self._pool.take()
        self._parser.receive(rest)
        return b""

    def _change_parser(self) -> bytes:
        """Read by the limits that hold behind authentication from here on; return what was not read yet."""
        parser = self._parser
        assert parser is not None, "an element was read"
        rest = parser.take_rest()
        if parser.is_usual:
            self._early.give_back(parser)
            self._parser = None
        else:
            parser.limits = self._pool.limits
            parser.renew()
        return rest

    def bind(self, request: BindRequested, jid: Jid) -> bytes:
        """Answer `BindRequested`; return the bytes that came behind it, which are to go through `stanzas`."""
        self._answered()
        self._negotiation.accept(Input.BIND)
        self._out.append(bound(request.element.get("id", "") or "", jid))
        return self._rest()

    def say(self, element: Element) -> None:
        """Answer `NonzaReceived`; the stream stays as it is."""
        self._answered()
        self._send(element)

    def resume(self, element: Element) -> bytes:
        """Answer `NonzaReceived` with `element`: an earlier session goes on; return what `bind` returns."""
        self._answered()
        self._negotiation.accept(Input.RESUME)
        self._send(element)
        return self._rest()

    def _rest(self) -> bytes:
        assert self._parser is not None, "a request was read"
        rest = self._parser.take_rest()
        self._put_down(self._parser)
        return rest

    def answer(self, element: Element, *payload: Element, error: StanzaError | None = None) -> None:
        """Answer `RequestBeforeLogin`, or `BindRequested` with an error."""
        self._answered()
        children = payload if error is None else (error.element(),)
        self._send(E(IQ, *children, type="result" if error is None else "error", id=element.get("id")))

    def _answered(self) -> None:
        if not self._owes:
            raise Misuse("there is nothing to answer")
        self._owes = False

    # Closing

    def fail(self, error: StreamError, host: str = "", stream_id: str = "") -> None:
        """Send a stream error and our end tag; a header first if none was sent (RFC 6120, 4.9.1.2)."""
        if self.is_closed and not self._is_open:
            return
        if not self._is_open:
            self._send_header(self.host or host, stream_id, None)
        self._send(error.element())
        self.close()

    def close(self) -> None:
        """Send our end tag, if our stream is open; read nothing more."""
        if self._is_open:
            self._out.append(FOOTER)
            self._is_open = False
        self._negotiation.state = State.CLOSED
        self._parser = None
        self._owes = False

    # Sending

    def data_to_send(self) -> bytes:
        """Return what is to be written, once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def _send(self, element: Element) -> None:
        self._out.append(serialise(element))

    def _send_header(self, host: str, stream_id: str, to: str | None) -> None:
        addressee = f" to='{escape_attribute(to)}'" if to else ""
        self._out.append(
            f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}' version='1.0'"
            f" xml:lang='en' from='{escape_attribute(host)}' id='{escape_attribute(stream_id)}'{addressee}>".encode()
        )
        self._is_open = True


def features_element(features: list[Element]) -> bytes:
    """Return the `<stream:features/>` that offers `features`, as bytes."""
    return serialise(Element(f"{{{STREAM}}}features", {}, [*features]))


def unknown_element(element: Element, state: State) -> StreamError:
    """Return the stream error for an element that no state knows (RFC 6120, 4.9.3.24)."""
    if state in (State.AUTHENTICATED, State.BOUND, State.CLOSED):  # what precedes the end tag may be handled behind it
        return StreamError("unsupported-stanza-type", f"{element.local} is not known here")
    return StreamError("not-authorized", f"{element.local} cannot come before authentication")
