"""What other modules may do with the state of a client (XEP-0352): a stream that is resumed begins as active."""

from typing import Protocol

from xmppd.core.session import Session


class ClientStates(Protocol):
    """Whether clients are looked at by their users."""

    def inactive(self, session: Session) -> None:
        """Hold back what need not be written to a session now."""

    def active(self, session: Session) -> None:
        """Write what was held back, and hold back nothing any more."""
