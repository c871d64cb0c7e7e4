"""What other modules may do with carbons: switch them on and off for a session, as Bind 2 does with the login."""

from typing import Final

from xmppd.core.session import Session, SessionKey

NS: Final = "urn:xmpp:carbons:2"

ENABLED: Final = SessionKey("carbons", False)
"""Whether a session wants copies of what the account's other resources send and receive."""


def enable(session: Session) -> None:
    """Let a session have copies from now on."""
    session[ENABLED] = True


def disable(session: Session) -> None:
    """Let it have none any more."""
    session[ENABLED] = False
