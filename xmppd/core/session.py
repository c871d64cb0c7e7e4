"""A connected resource: what the core and the modules know of one session."""

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ..protocol.jid import Jid

if TYPE_CHECKING:
    from ..protocol.errors import StreamError
    from ..protocol.stanza import Stanza

T = TypeVar("T")


class SessionKey(Generic[T]):
    """A typed note that a module keeps on a session, local to the session's node.

    :param name: for reading in debuggers; keys are compared by identity.
    :param default: what a session without the note has.
    """

    __slots__ = ("default", "name")

    def __init__(self, name: str, default: T) -> None:
        self.name = name
        self.default = default

    def __repr__(self) -> str:
        return f"SessionKey({self.name!r})"


class Wire(Protocol):
    """What a session is written to: the driver of its stream."""

    @property
    def peer_address(self) -> str: ...

    @property
    def secure(self) -> bool: ...

    @property
    def connected_at(self) -> float: ...

    @property
    def last_heard(self) -> float: ...

    def write_stanza(self, data: bytes) -> bool:
        """Send a stanza's bytes; return whether they were accepted."""

    def close(self, error: "StreamError | None" = None) -> None:
        """End the stream, with a stream error if one is given."""


class Session:
    """One bound resource of an account.

    :ivar jid: its full JID.
    :ivar account: its account's bare JID.
    :ivar resource: its resourcepart.
    :ivar wire: what it is written to.
    :ivar presence: the last available presence that it broadcast, or None while it is unavailable (RFC 6121, 4.2).
    :ivar priority: the priority of that presence.
    :ivar is_interested: whether it asked for the roster (RFC 6121, 2.2).
    :ivar directed: addresses it sent directed presence to (RFC 6121, 4.6); None until the first.
    """

    __slots__ = (
        "_notes", "account", "directed", "is_anonymous", "is_interested", "jid", "presence", "priority", "resource",
        "wire",
    )  # fmt: skip

    def __init__(self, jid: Jid, wire: Wire, *, is_anonymous: bool = False) -> None:
        self.jid = jid
        self.account: Jid = jid.bare
        self.resource: str = jid.resourcepart
        self.wire = wire
        self.is_anonymous = is_anonymous
        self.presence: Stanza | None = None
        self.priority = 0
        self.is_interested = False
        self.directed: set[Jid] | None = None
        self._notes: dict[SessionKey[Any], Any] | None = None

    @property
    def is_available(self) -> bool:
        """Whether it is an available resource (RFC 6121, 4.2)."""
        return self.presence is not None

    def __getitem__(self, key: SessionKey[T]) -> T:
        """Return a module's note, or its default."""
        if self._notes is None:
            return key.default
        return self._notes.get(key, key.default)  # type: ignore[no-any-return]

    def __setitem__(self, key: SessionKey[T], value: T) -> None:
        """Keep a module's note until the session ends."""
        if self._notes is None:
            self._notes = {}
        self._notes[key] = value

    def double(self, wire: Wire) -> "Session":
        """Return a session that knows what this one knows, is written to `wire`, and is changed without this one."""
        double = Session(self.jid, wire, is_anonymous=self.is_anonymous)
        double.presence, double.priority, double.is_interested = self.presence, self.priority, self.is_interested
        double.directed = None if self.directed is None else set(self.directed)
        double._notes = None if self._notes is None else dict(self._notes)
        return double

    def __repr__(self) -> str:
        return f"<Session {self.jid}>"
