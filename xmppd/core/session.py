"""A connected resource: what the core and the modules know of one session."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ..protocol.jid import Jid

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

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

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now; a session of XEP-0198 lives on for a while without one."""

    @property
    def acknowledges(self) -> bool:
        """Whether the client acknowledges what it gets (XEP-0198)."""

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        """Send a stanza's bytes; return whether they were accepted.

        :param row: the id of its row in the account's log, if it has one.
        """

    def unacknowledged(self) -> Collection[int]:
        """Return the rows that were written and are not acknowledged yet; none if the client acknowledges nothing."""

    def room(self) -> "Deferred[None] | None":
        """Return None if more can be written now, else what fires when it can, or when the session is over."""

    def close(self, error: "StreamError | None" = None) -> None:
        """End the stream, with a stream error if one is given."""


class Valve(Protocol):
    """Something that holds back what a session need not have now (XEP-0352)."""

    def admits(self, stanza: "Stanza", row: int) -> bool:
        """Whether a stanza may be written now; if not, the valve has taken it, and writes it later itself."""

    def rows(self) -> Collection[int]:
        """Return the rows of the account's log that it holds back."""


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
    :ivar gate: keeps the order of what it sends.
    :ivar valve: holds back what it need not have now; None if nothing does.
    :ivar is_catching_up: whether it reads what waits in the log; what is committed meanwhile it finds there.
    :ivar position: the last row of the log that it has read there.
    :ivar fetches_upto: the last row of the archive that its client fetches itself (XEP-0386); 0 if that is not known.
    """

    __slots__ = (
        "_notes", "account", "directed", "fetches_upto", "gate", "is_anonymous", "is_catching_up", "is_interested",
        "jid", "position", "presence", "priority", "resource", "valve", "wire",
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
        from .gate import Gate  # not above: who reads the declarations of commands needs this file, and no Twisted

        self.gate = Gate()
        self.valve: Valve | None = None
        self.is_catching_up = False
        self.position = 0
        self.fetches_upto = 0
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
