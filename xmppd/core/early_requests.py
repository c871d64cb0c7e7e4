"""What a client may ask before it has a session: what a module takes before login (XEP-0077), and a resource.

Nobody needs many of these, and their answers may go unread: a stream that asks too often is closed.
"""

from typing import TYPE_CHECKING, Final

from ..protocol.element import Element
from ..protocol.errors import PolicyViolation, StanzaError, StreamError
from ..protocol.stanza import Malformed, read
from ..protocol.stream import Stream
from .client_context import ClientContext
from .features import may_tell_secrets
from .host import Host
from .iq import IqRequest, Target

if TYPE_CHECKING:
    from .client_stream import ClientStream

REQUESTS: Final = 20
"""How many requests one stream may make until it has a session: registration's, and tries to bind a resource."""


class EarlyRequests:
    """The requests of one stream that has no session."""

    __slots__ = ("_context", "_count", "_driver", "_stream")

    def __init__(self, driver: "ClientStream", context: ClientContext, stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._count = 0

    def count(self) -> None:
        """Count one.

        :raises StreamError: it was one too many.
        """
        self._count += 1
        if self._count > REQUESTS:
            raise StreamError("policy-violation", "too many requests before a session")

    async def answer(self, element: Element, host: Host) -> None:
        """Answer an IQ request to `host` by the module that takes it before login.

        :raises StreamError: there is none, or it was one request too many.
        """
        self.count()
        try:
            result = await self._result(element, host)
        except Malformed as malformed:
            self.refuse(element, malformed.error)
        except StanzaError as error:
            self.refuse(element, error)
        else:
            if not self._stream.is_closed:
                self._stream.answer(element, *([] if result is None else [result]))

    async def _result(self, element: Element, host: Host) -> Element | None:
        if not may_tell_secrets(self._driver):
            raise PolicyViolation("TLS is required first")
        stanza = read(element, host.name)
        payload = element.first
        assert payload is not None, "a request has one payload"
        request = IqRequest(stanza, host.name, host.name, payload, stream=self._driver)
        if not self._context.iqs.answers(request, Target.BEFORE_LOGIN):
            raise StreamError("not-authorized", "log in first")
        return await self._context.iqs.answer(request, Target.BEFORE_LOGIN)

    def refuse(self, element: Element, error: StanzaError) -> None:
        """Answer a request with an error."""
        if not self._stream.is_closed:
            self._stream.answer(element, error=error)
