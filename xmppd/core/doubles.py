"""Stand-ins for sessions: they know what the real ones know, and nothing that is done to them reaches a client."""

from collections.abc import Collection, Iterator, Sequence

from ..protocol.errors import StreamError
from ..protocol.jid import Jid
from .session import Session, Wire
from .sessions import Sessions
from .trace import Trace, shortened


class Recorder:
    """A wire that ends in a trace.

    :param real: the wire of the session that is stood in for, if there is one.
    """

    def __init__(self, trace: Trace, jid: Jid, real: Wire | None = None) -> None:
        self.peer_address = "explain" if real is None else real.peer_address
        self.secure = real is None or real.secure
        self.connected_at = 0.0 if real is None else real.connected_at
        self.last_heard = 0.0 if real is None else real.last_heard
        self._trace = trace
        self._jid = jid

    is_connected = True
    acknowledges = True  # what is noted here is delivered to nobody

    def unacknowledged(self) -> Collection[int]:
        """Return nothing."""
        return ()

    def room(self) -> None:
        """There is always more room."""

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        """Note a stanza; it counts as taken."""
        self._trace.note(f"delivers to {self._jid}: {shortened(data)}")
        return True

    def close(self, error: StreamError | None = None) -> None:
        """Note the end of the stream."""
        self._trace.note(f"ends the stream of {self._jid}" + (f": {error}" if error is not None else ""))


class Doubles(Sessions):
    """The sessions of a node, stood in for one by one as somebody asks for them."""

    def __init__(self, trace: Trace, real: Sessions) -> None:
        super().__init__()
        self._trace = trace
        self._real = real
        self._seen: set[str] = set()

    def of(self, account: str) -> Sequence[Session]:
        """Return stand-ins for the sessions of an account, always the same ones."""
        if account not in self._seen:
            self._seen.add(account)
            for session in self._real.of(account):
                self.add(session.double(Recorder(self._trace, session.jid, session.wire)))
        return super().of(account)

    def at(self, jid: Jid) -> Session | None:
        """Return the stand-in for the session of a full JID."""
        self.of(jid.bare)
        return super().at(jid)

    def available(self, account: str) -> list[Session]:
        """Return stand-ins for the available resources of an account."""
        self.of(account)
        return super().available(account)

    def __iter__(self) -> Iterator[Session]:
        """Iterate over stand-ins for all sessions."""
        for session in self._real:
            self.of(session.account)
        return super().__iter__()

    def __len__(self) -> int:
        return max(len(self._real), super().__len__())

    def accounts(self) -> int:
        """Return how many accounts have a session."""
        return max(self._real.accounts(), super().accounts())

    def enter(self, jid: Jid) -> Session:
        """Return the stand-in of that address; one that has just logged in if nobody is connected there."""
        found = self.at(jid)
        if found is None:
            found = Session(jid, Recorder(self._trace, jid))
            self.add(found)
        return found
