"""What an element means before stanzas flow: which input it is to the table of states, and which event it becomes.

Beside them, the bytes of what every login is answered.
"""

from collections.abc import Callable, Mapping
from typing import Final

from . import sasl2
from .element import E, Element
from .errors import SaslFailure
from .events import (
    AuthenticateStarted,
    AuthResponse,
    AuthStarted,
    StartTlsRequested,
    StreamEvent,
    TaskDataReceived,
    TaskStarted,
)
from .jid import Jid
from .names import BIND, SASL, TLS
from .negotiation import Input
from .writer import escape_attribute, escape_text, serialise

PROCEED: Final = serialise(E(f"{{{TLS}}}proceed"))


def _auth(element: Element) -> StreamEvent:
    return AuthStarted(element.get("mechanism", "") or "", element.text.strip() if element.children else None)


def _response(element: Element) -> StreamEvent:
    return AuthResponse(element.text.strip())


MEANINGS: Final[Mapping[str, tuple[Input, Callable[[Element], StreamEvent]]]] = {
    f"{{{TLS}}}starttls": (Input.STARTTLS, lambda _: StartTlsRequested()),
    f"{{{SASL}}}auth": (Input.AUTH, _auth),
    f"{{{SASL}}}response": (Input.RESPONSE, _response),
    sasl2.AUTHENTICATE: (Input.AUTHENTICATE, lambda element: AuthenticateStarted(sasl2.read(element))),
    sasl2.RESPONSE: (Input.RESPONSE_2, _response),
    sasl2.NEXT: (Input.NEXT, lambda element: TaskStarted(element.get("task", "") or "")),
    sasl2.TASK_DATA: (Input.TASK_DATA, TaskDataReceived),
}
"""Elements whose events want an answer."""

ABORTED: Final = SaslFailure("aborted")
ABORTS: Final[Mapping[str, tuple[Input, bytes]]] = {
    f"{{{SASL}}}abort": (Input.ABORT, serialise(ABORTED.element())),
    sasl2.ABORT: (Input.ABORT_2, serialise(sasl2.failure(ABORTED))),
}
"""Elements that end an exchange, and what they are answered at once."""


def sasl_element(name: str, text: str, namespace: str = SASL) -> bytes:
    """Return an element of SASL with character data, or none, as bytes."""
    if not text:
        return f"<{name} xmlns='{namespace}'/>".encode()
    return f"<{name} xmlns='{namespace}'>{escape_text(text)}</{name}>".encode()


def bound(identifier: str, jid: Jid) -> bytes:
    """Return the answer to the request to bind of that id, as bytes (RFC 6120, 7.6.1)."""
    return (
        f"<iq type='result' id='{escape_attribute(identifier)}'>"
        f"<bind xmlns='{BIND}'><jid>{escape_text(jid)}</jid></bind></iq>"
    ).encode()
