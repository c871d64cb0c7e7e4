"""What other modules may know of tokens: who has some, and that they are to go."""

from collections.abc import Collection
from typing import Protocol

from xmppd.protocol.jid import Jid


class Tokens(Protocol):
    """The tokens of all accounts; `client` as in `xmppd.core.client_identity`."""

    async def clients(self, account: Jid, valid: Collection[bytes]) -> dict[str, float]:
        """Return the clients of an account that can log in by a token, and when they got it.

        :param valid: the marks of its password (see `xmppd.core.credentials`).
        """

    async def drop(self, account: Jid, client: str) -> bool:
        """Let a client do so no more; return whether it could."""
