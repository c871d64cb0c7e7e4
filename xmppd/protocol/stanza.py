"""A stanza on its way: the element as it came, and what its new start tag says.

A stanza that is only relayed is never serialised again: its start tag is written anew (our `from`, the given `to`,
`type`, `id` and `xml:lang`), its content is copied as it was received (`Element.inner`), and what we add is appended.
"""

from collections.abc import Iterator
from typing import Final

from .element import Element
from .errors import BadRequest, JidMalformed, StanzaError
from .jid import Jid, JidError
from .names import IQ, KINDS, MESSAGE, PRESENCE, XML_LANG
from .writer import escape_address, escape_attribute, serialise, serialise_children

MESSAGE_TYPES: Final = frozenset({"chat", "error", "groupchat", "headline", "normal"})
PRESENCE_TYPES: Final = frozenset({
    "error", "probe", "subscribe", "subscribed", "unavailable", "unsubscribe", "unsubscribed",
})  # fmt: skip
IQ_TYPES: Final = frozenset({"get", "set", "result", "error"})
NAMES: Final = {"message": MESSAGE, "presence": PRESENCE, "iq": IQ}
CLOSING: Final = {kind: f"</{kind}>".encode() for kind in NAMES}


class Stanza:
    """One message, presence or IQ.

    :ivar kind: "message", "presence" or "iq".
    :ivar element: the element as it was received or built; its addresses are not to be trusted.
    :ivar to: the addressee, or None where the specification lets it be left out.
    :ivar from_: the sender, verified by the stream that the stanza came in on.
    :ivar type: the type; an absent or unknown message type is "normal", an absent presence type is "".
    :ivar id: the stanza's id, if any.
    :ivar lang: the language of its human-readable content, if known; empty if its sender says that it has none.
    :ivar added: what we append to the content.
    """

    __slots__ = ("_content", "_whole", "added", "element", "from_", "id", "kind", "lang", "to", "type")

    def __init__(
        self,
        kind: str,
        element: Element,
        to: Jid | None,
        from_: Jid,
        type: str,
        id: str | None = None,
        lang: str | None = None,
        added: tuple[Element, ...] = (),
    ) -> None:
        self.kind = kind
        self.element = element
        self.to = to
        self.from_ = from_
        self.type = type
        self.id = id
        self.lang = lang
        self.added = added
        self._content: bytes | None = element.inner if not added else None
        self._whole: bytes | None = None  # all of it as bytes, where they are known

    @classmethod
    def build(
        cls, kind: str, *children: Element, to: Jid | None, from_: Jid, type: str = "", id: str | None = None
    ) -> "Stanza":
        """Make a stanza of our own."""
        if kind == "message" and not type:
            type = "normal"
        return cls(kind, Element(NAMES[kind], {}, list(children)), to, from_, type, id)

    # What modules ask of the content

    def child(self, name: str) -> Element | None:
        """Return the first child of that qualified name, or None."""
        return self.element.child(name)

    def elements(self) -> Iterator[Element]:
        """Yield the child elements."""
        return self.element.elements()

    def text_of(self, name: str, default: str | None = None) -> str | None:
        """Return the character data of the first child of that qualified name, or `default`."""
        return self.element.text_of(name, default)

    # Copies

    def copy(self, *, to: Jid | None = None, from_: Jid | None = None, element: Element | None = None) -> "Stanza":
        """Return the stanza with another addressee, sender or content."""
        stanza = Stanza(
            self.kind,
            self.element if element is None else element,
            self.to if to is None else to,
            self.from_ if from_ is None else from_,
            self.type,
            self.id,
            self.lang,
            self.added,
        )
        if element is None:
            stanza._content = self._content
        return stanza

    def with_added(self, *elements: Element) -> "Stanza":
        """Return the stanza with `elements` appended to its content."""
        stanza = self.copy()
        stanza.added = (*self.added, *elements)
        stanza._content = None
        return stanza

    def with_mark(self, mark: Element, whole: bytes) -> "Stanza":
        """Return the stanza with one element appended.

        :param whole: the stanza's bytes with that element in them.
        """
        stanza = Stanza(
            self.kind, self.element, self.to, self.from_, self.type, self.id, self.lang, (*self.added, mark)
        )
        stanza._whole = whole
        return stanza

    def reply(self, type: str, *children: Element, from_: Jid | None = None) -> "Stanza":
        """Return an answer: addresses swapped, the same id."""
        sender = from_ or self.to or self.from_.bare
        return Stanza(self.kind, Element(NAMES[self.kind], {}, list(children)), self.from_, sender, type, self.id)

    def error(self, error: StanzaError, from_: Jid | None = None) -> "Stanza":
        """Return the error reply (RFC 6120, 8.3.1); the content is not sent back, which spares both sides."""
        return self.reply("error", error.element(), from_=from_)

    # To the wire

    def content(self) -> bytes:
        """Return the bytes between start and end tag, for a stream whose content namespace is jabber:client."""
        content = self._content
        if content is None:
            inner = self.element.inner
            content = serialise_children(self.element) if inner is None else inner
            if self.added:
                content += b"".join([serialise(element) for element in self.added])
            self._content = content
        return content

    def to_bytes(self, to: Jid | None = None) -> bytes:
        """Return the whole stanza, addressed to `to` if given."""
        if self._whole is not None and to is None:
            return self._whole
        content = self._content
        if content is None:
            content = self.content()
        kind, from_, rest = self.kind, escape_address(self.from_), self._rest_of_tag(">" if content else "/>")
        to = to or self.to
        if to:  # joined, not formatted: that would make texts of the addresses first
            tag = "".join(("<", kind, " from='", from_, "' to='", escape_address(to), rest)).encode()
        else:
            tag = "".join(("<", kind, " from='", from_, rest)).encode()
        return tag + content + CLOSING[kind] if content else tag

    def split(self) -> tuple[bytes, bytes]:
        """Return what stands before and behind the value of `to`, for a fan-out that serialises once."""
        content = self.content()
        before = f"<{self.kind} from='{escape_address(self.from_)}' to='".encode()
        if not content:
            return before, self._rest_of_tag("/>").encode()
        return before, self._rest_of_tag(">").encode() + content + CLOSING[self.kind]

    def _rest_of_tag(self, end: str) -> str:
        """Return what stands behind the value of the last address in the start tag."""
        type, id, lang = self.type, self.id, self.lang
        rest = f"' type='{type}'" if type and (type != "normal" or self.kind != "message") else "'"
        if id is not None:
            rest = f"{rest} id='{escape_attribute(id)}'"
        return f"{rest}{end}" if lang is None else f"{rest} xml:lang='{escape_attribute(lang)}'{end}"

    def __repr__(self) -> str:
        return f"<{self.kind} {self.type!r} from {self.from_} to {self.to} id {self.id!r}>"


class Malformed(Exception):
    """A stanza that cannot be read as one; what can be told about it, to answer it with `error`."""

    def __init__(self, error: StanzaError, stanza: Stanza) -> None:
        super().__init__(str(error))
        self.error = error
        self.stanza = stanza


def read(element: Element, from_: Jid, lang: str | None = None) -> Stanza:
    """Read an element of a client's stream as a stanza from `from_`.

    :param lang: the language of the stream, for a stanza that names none.
    :raises Malformed: it breaks RFC 6120, 8; the error is the one to answer with.
    """
    kind = KINDS[element.name]
    attributes = element.attributes
    type = attributes.get("type", "")
    to: Jid | None = None
    error: StanzaError | None = None
    address = attributes.get("to")
    if address is not None:
        try:
            to = Jid.parse(address)
        except JidError as wrong:
            error = JidMalformed(str(wrong))
    if kind == "message":
        if type not in MESSAGE_TYPES:
            type = "normal"  # RFC 6121, 5.2.2
    elif kind == "presence":
        if type and type not in PRESENCE_TYPES:
            error, type = BadRequest("unknown presence type"), ""
    else:
        error = error or _check_iq(element, type, attributes)
    stanza = Stanza(kind, element, to, from_, type, attributes.get("id"), attributes.get(XML_LANG, lang))
    if error is not None:
        raise Malformed(error, stanza)
    return stanza


def _check_iq(element: Element, type: str, attributes: dict[str, str]) -> StanzaError | None:
    """Return what breaks RFC 6120, 8.2.3, or None."""
    if not attributes.get("id"):
        return BadRequest("an IQ needs an id")
    if type not in IQ_TYPES:
        return BadRequest("an IQ is a get, set, result or error")
    payloads = sum(1 for _ in element.elements())
    if type in ("get", "set") and payloads != 1:
        return BadRequest("a request has exactly one payload")
    if type == "result" and payloads > 1:
        return BadRequest("a result has one payload or none")
    return None
