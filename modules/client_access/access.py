"""Who has access to an account, put together from what is stored, what is connected and who has tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from xmppd.core.accounts import Accounts
from xmppd.core.client_context import ClientContext
from xmppd.core.client_identity import CLIENT, client_of
from xmppd.core.clock import Clock
from xmppd.core.credentials import marks
from xmppd.core.loader import Loader
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.modules.fast.api import Tokens
from xmppd.protocol.errors import StreamError
from xmppd.protocol.jid import Jid

from .store import Client, ClientStore


@dataclass(frozen=True, slots=True)
class Access:
    """One client's access to an account.

    :ivar knows_password: whether it has shown the password that the account has now, or may have.
    :ivar has_token: whether it can log in by a token.
    """

    client: Client
    is_connected: bool
    knows_password: bool
    has_token: bool


@dataclass(frozen=True, slots=True)
class AccessList:
    """The clients of all accounts: those that are known, and sessions of those that told no name."""

    accounts: Accounts
    clock: Clock
    loader: Loader
    sessions: Sessions
    context: ClientContext
    store: ClientStore

    async def of(self, account: Jid) -> list[Access]:
        """Return who has access to an account, the first one first."""
        credentials = await self.accounts.credentials(account)
        valid = marks(credentials or {})
        with_token = await self._with_token(account, valid)
        sessions = self.sessions.of(account)
        connected = {session[CLIENT] for session in sessions}
        found = [
            Access(known, known.client in connected, known.mark in valid, known.client in with_token)
            for known in await self.store.all(account)
        ]
        return found + [self._nameless(session) for session in sessions if not session[CLIENT]]

    async def _with_token(self, account: Jid, valid: list[bytes]) -> set[str]:
        tokens = self.loader.offered(Tokens)  # type: ignore[type-abstract]  # whoever implements it offers it
        return set() if tokens is None else await tokens.clients(account, valid)

    def _nameless(self, session: Session) -> Access:
        """Return the access of a session whose client told no name; as far as we know it has a password."""
        now = self.clock.seconds()
        client = Client(self.name_of(session), "", "", b"", session.wire.connected_at, now)
        return Access(client, True, not session.is_anonymous, False)

    def name_of(self, session: Session) -> str:
        """Return the name of the client that a session is of; one for this resource if it told none."""
        agent = f"resource {session.resource}"  # no UUID, so no client is called like that
        return session[CLIENT] or client_of(self.context.authenticator.secret, session.account, agent)

    async def get(self, account: Jid, client: str) -> Access | None:
        """Return one client's access, or None if there is no such client."""
        return next((access for access in await self.of(account) if access.client.client == client), None)

    async def revoke(self, account: Jid, client: str) -> int:
        """Take a client's token, forget it and end its sessions, behind this turn; return how many it has."""
        tokens = self.loader.offered(Tokens)  # type: ignore[type-abstract]  # as above
        if tokens is not None:
            await tokens.drop(account, client)
        await self.store.drop(account, client)
        sessions = self.sessions_of(account, client)
        self.context.soon(lambda: _end(sessions))
        return len(sessions)

    def sessions_of(self, account: Jid, client: str) -> Sequence[Session]:
        """Return the sessions of a client."""
        return [session for session in self.sessions.of(account) if self.name_of(session) == client]


def _end(sessions: Sequence[Session]) -> None:
    for session in sessions:
        session.wire.close(StreamError("not-authorized", "the access of this client was revoked"))
