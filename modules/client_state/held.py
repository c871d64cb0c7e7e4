"""What is held back from one session (XEP-0352), in order, and within bounds."""

from collections.abc import Callable
from dataclasses import dataclass

from xmppd.config.schema import Size, option
from xmppd.core.metrics import Metrics, counter
from xmppd.core.session import Session
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .importance import importance

Delivered = Callable[[Jid, int], None]
"""Told that a row of an account's log was written to a session that acknowledges nothing."""


@dataclass(slots=True)
class Config:
    """How much is held back from one inactive client; then all of it is written."""

    stanzas: int = option(
        200, ge=0, le=10_000, live=True, help="How many stanzas are held back from one inactive client; 0 for none."
    )
    size: Size = option(
        Size("64 KiB"), ge=0, le=Size("16 MiB"), live=True, help="How many bytes are held back from one."
    )


class ClientStateMetrics(Metrics):
    """What was spared."""

    held: int = counter("Stanzas held back from inactive clients.")
    stale: int = counter("Stanzas that were never written, since a newer one said it all.")


class Held:
    """The stanzas that an inactive session has yet to get. Implements `core.session.Valve`.

    They are bytes already. One that makes an older one stale takes its place, behind all others: its order among those
    that came since is the one that holds. One with a row of the log is never stale.

    A stream begins as active (Interaction with Stream Resumption): what is held back goes with the session while that
    waits for its client, and is written once there is another connection.

    :ivar wire: the one on which the client has said that it is inactive.
    """

    __slots__ = ("_config", "_counters", "_delivered", "_number", "_session", "_size", "_waiting", "wire")

    def __init__(self, session: Session, config: Config, counters: ClientStateMetrics, delivered: Delivered) -> None:
        self._session = session
        self.wire = session.wire
        self._config = config
        self._counters = counters
        self._delivered = delivered
        self._waiting: dict[object, tuple[bytes, int]] = {}
        self._size = 0
        self._number = 0

    def admits(self, stanza: Stanza, row: int) -> bool:
        """Whether a stanza matters now; what was held back is then written before it."""
        wire = self._session.wire
        if wire is not self.wire and wire.is_connected:
            self._session.valve = None
            self.flush()
            return True
        found = importance(stanza)
        if found.matters:
            self.flush()
            return True
        self._counters.held += 1
        self._number += 1
        self._hold(found.key if found.key is not None and not row else self._number, stanza.to_bytes(), row)
        if len(self._waiting) > self._config.stanzas or self._size > self._config.size:
            self.flush()
        return False

    def _hold(self, key: object, data: bytes, row: int) -> None:
        stale = self._waiting.pop(key, None)
        if stale is not None:
            self._counters.stale += 1
            self._size -= len(stale[0])
        self._waiting[key] = (data, row)
        self._size += len(data)

    def flush(self) -> None:
        """Write all of it."""
        waiting, self._waiting, self._size = self._waiting, {}, 0
        wire = self._session.wire
        for data, row in waiting.values():
            if wire.write_stanza(data, row) and row and not wire.acknowledges:
                self._delivered(self._session.account, row)

    def rows(self) -> list[int]:
        """Return the rows of the account's log that wait here."""
        return [row for _, row in self._waiting.values() if row]

    def __len__(self) -> int:
        return len(self._waiting)
