"""Which client of an account it is: the installation that a user agent's identifier names (XEP-0388).

What a client says of itself is kept nowhere. From it and the server's secret come two names that are the same each
time: one to know the client by, and one that others may see in its resource. Neither leads to the other, nor to what
the client said.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import Final

from ..protocol.jid import Jid
from .session import SessionKey

CLIENT: Final = SessionKey("client", "")
"""The client that a session is of; empty if it did not tell."""

NAME_BYTES: Final = 9  # an account has a few of them, and nobody can choose them


def client_of(secret: bytes, account: Jid, agent: str | None) -> str:
    """Return the name by which an account's client is known; empty if it told no identifier.

    :param secret: the server's, the same on every node.
    :param agent: what the client calls itself.
    """
    return _name(secret, "client", account, agent) if agent else ""


def identifier_of(secret: bytes, account: Jid, agent: str | None) -> str:
    """Return what tells the client's resource from others (XEP-0386): always the same, or a new one without a name."""
    return _name(secret, "resource", account, agent) if agent else _text(secrets.token_bytes(NAME_BYTES))


def _name(secret: bytes, purpose: str, account: Jid, agent: str) -> str:
    digest = hmac.digest(secret, f"{purpose} of a client\0{account}\0{agent}".encode(), "sha256")
    return _text(digest[:NAME_BYTES])


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii")
