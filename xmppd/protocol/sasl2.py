"""XEP-0388: Extensible SASL Profile: its elements, as a client writes them and as we do.

The mechanisms are those of RFC 6120 and so are the conditions of failures; what differs is the syntax, that nothing is
restarted, that a client says who it is, and that it asks for all it wants with one element::

    C: <authenticate mechanism='...'><initial-response/><user-agent/> requests of other specifications </authenticate>
    S: <challenge/>      C: <response/>      as the mechanism likes
    S: <continue/>       C: <next/>          S, C: <task-data/>     where a task is to be done first (XEP-0480)
    S: <success/><stream:features/>          or <failure/>

Base64 that is empty is an empty element here; a response that is missing is a missing element.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .element import E, Element
from .errors import SaslFailure
from .names import SASL

NS: Final = "urn:xmpp:sasl:2"
AUTHENTICATE: Final = f"{{{NS}}}authenticate"
INITIAL_RESPONSE: Final = f"{{{NS}}}initial-response"
RESPONSE: Final = f"{{{NS}}}response"
ABORT: Final = f"{{{NS}}}abort"
NEXT: Final = f"{{{NS}}}next"
TASK_DATA: Final = f"{{{NS}}}task-data"
USER_AGENT: Final = f"{{{NS}}}user-agent"
LONGEST_DESCRIPTION: Final = 100  # characters of what a client calls itself, or its device
UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}").fullmatch


@dataclass(frozen=True, slots=True)
class UserAgent:
    """Which client it is. Nobody but the account's owner and the administrators may see it.

    :ivar id: the UUID of this installation, in lower case; None if the client tells none, or one that is no UUID.
    :ivar software: what the client calls itself; may be empty.
    :ivar device: what it calls the device; may be empty.
    """

    id: str | None = None
    software: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Authenticate:
    """What a client asks for by `<authenticate/>`.

    :ivar mechanism: the name of the mechanism as written.
    :ivar text: the initial response in base64; None if there is none.
    :ivar user_agent: the client; one that tells nothing has empty fields.
    :ivar element: all of it: what other specifications put there is a child.
    """

    mechanism: str
    text: str | None
    user_agent: UserAgent
    element: Element

    def request(self, name: str) -> Element | None:
        """Return what is asked for beside the authentication, by the name of its element."""
        return self.element.child(name)


def read(element: Element) -> Authenticate:
    """Return what an `<authenticate/>` says."""
    text = element.text_of(INITIAL_RESPONSE)
    return Authenticate(
        element.get("mechanism", "") or "",
        None if text is None else text.strip(),
        _user_agent(element.child(USER_AGENT)),
        element,
    )


def _user_agent(element: Element | None) -> UserAgent:
    if element is None:
        return UserAgent()
    written = (element.get("id") or "").strip()
    return UserAgent(
        written.lower() if UUID(written) else None,
        _description(element.text_of(f"{{{NS}}}software")),
        _description(element.text_of(f"{{{NS}}}device")),
    )


def _description(text: str | None) -> str:
    """Return what a client says of itself as one short line."""
    return " ".join((text or "").split())[:LONGEST_DESCRIPTION]


def feature(mechanisms: Iterable[str], inline: Sequence[Element] = (), upgrades: Iterable[str] = ()) -> Element:
    """Return the stream feature.

    :param inline: what may be asked for together with the authentication.
    :param upgrades: tasks that may be asked for (XEP-0480).
    """
    return E(
        f"{{{NS}}}authentication",
        *[E(f"{{{NS}}}mechanism", name) for name in mechanisms],
        E(f"{{{NS}}}inline", *inline) if inline else None,
        *[E(UPGRADE, name) for name in upgrades],
    )


UPGRADE: Final = "{urn:xmpp:sasl:upgrade:0}upgrade"
"""XEP-0480, 2: what a server offers, and what a client asks for."""


def challenge(text: str) -> Element:
    """Return a `<challenge/>`; `text` is base64."""
    return E(f"{{{NS}}}challenge", text or None)


def failure(error: SaslFailure) -> Element:
    """Return the `<failure/>`: the conditions are RFC 6120's."""
    return E(
        f"{{{NS}}}failure",
        E(f"{{{SASL}}}{error.condition}"),
        E(f"{{{NS}}}text", error.text) if error.text else None,
    )


def success(identifier: str, text: str = "", answers: Iterable[Element] = ()) -> Element:
    """Return the `<success/>`.

    :param identifier: the full JID if there is a session, else the bare one.
    :param text: what the mechanism sends with it, in base64.
    :param answers: what came of the requests beside the authentication.
    """
    return E(
        f"{{{NS}}}success",
        E(f"{{{NS}}}additional-data", text) if text else None,
        E(f"{{{NS}}}authorization-identifier", identifier),
        *answers,
    )


def continuation(task: str, text: str = "") -> Element:
    """Return the `<continue/>` that asks for one task.

    :param text: what the mechanism would have sent with the success, in base64.
    """
    return E(
        f"{{{NS}}}continue",
        E(f"{{{NS}}}additional-data", text) if text else None,
        E(f"{{{NS}}}tasks", E(f"{{{NS}}}task", task)),
    )


def task_data(*content: Element) -> Element:
    """Return a `<task-data/>`."""
    return E(TASK_DATA, *content)
