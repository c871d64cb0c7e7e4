"""Who is connected here."""

from collections.abc import Iterator, Sequence

from ..protocol.errors import StreamError
from ..protocol.jid import Jid
from .session import Session, Wire

NOBODY: tuple[Session, ...] = ()


class Sessions:
    """The sessions of this node, by account. An account's sessions are in the order in which they were bound.

    Streams that are authenticated but not bound are known, too, so that an account that is closed in that moment gets
    no session any more.
    """

    def __init__(self) -> None:
        self._by_account: dict[str, tuple[Session, ...]] = {}
        self._unbound: dict[str, set[Wire]] = {}
        self._count = 0

    def add(self, session: Session) -> None:
        """Enter a bound session; its full JID must be free."""
        self._by_account[session.account] = (*self.of(session.account), session)
        self._count += 1

    def remove(self, session: Session) -> bool:
        """Take a session out; return whether it was in."""
        before = self.of(session.account)
        left = tuple(other for other in before if other is not session)
        if len(left) == len(before):
            return False
        if left:
            self._by_account[session.account] = left
        else:
            del self._by_account[session.account]
        self._count -= 1
        return True

    def of(self, account: str) -> Sequence[Session]:
        """Return the sessions of an account; a new object after each change, so it is safe to iterate and wait."""
        return self._by_account.get(account, NOBODY)

    def at(self, jid: Jid) -> Session | None:
        """Return the session with that full JID, or None."""
        for session in self._by_account.get(jid.bare, NOBODY):
            if session.resource == jid.resourcepart:
                return session
        return None

    def available(self, account: str) -> list[Session]:
        """Return the available resources of an account (RFC 6121, 4.2)."""
        return [session for session in self._by_account.get(account, NOBODY) if session.presence is not None]

    def __iter__(self) -> Iterator[Session]:
        """Iterate over all sessions, as they are now."""
        for sessions in list(self._by_account.values()):
            yield from sessions

    def __len__(self) -> int:
        return self._count

    def accounts(self) -> int:
        """Return how many accounts have a session."""
        return len(self._by_account)

    def expect(self, account: str, wire: Wire) -> None:
        """Note a stream that is authenticated and will bind a session of that account."""
        self._unbound.setdefault(account, set()).add(wire)

    def expect_no_more(self, account: str, wire: Wire) -> None:
        """Forget such a stream: its session was added, or it is gone."""
        wires = self._unbound.get(account, set())
        wires.discard(wire)
        if not wires:
            self._unbound.pop(account, None)

    def close(self, account: str, error: StreamError) -> int:
        """End all sessions of an account, and what would become one; return how many sessions there were."""
        sessions = self.of(account)
        for wire in [*(session.wire for session in sessions), *self._unbound.get(account, ())]:
            wire.close(error)
        return len(sessions)
