"""Who has access to an account, put together from what is stored, what is connected and who has tokens."""

from collections.abc import Collection, Sequence
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
        known = {client.client: client for client in await self.store.all(account)}
        found = [
            Access(client, name in connected, client.mark in valid, name in with_token)
            for name, client in known.items()
        ]
        found += [self._connected(session, with_token) for session in sessions if session[CLIENT] not in known]
        forgotten = {name: issued for name, issued in with_token.items() if name not in known and name not in connected}
        for name, issued in forgotten.items():
            found.append(Access(Client(name, "", "", b"", issued, issued), False, False, True))
        return found

    async def _with_token(self, account: Jid, valid: list[bytes]) -> dict[str, float]:
        tokens = self.loader.offered(Tokens)  # type: ignore[type-abstract]  # whoever implements it offers it
        return {} if tokens is None else await tokens.clients(account, valid)

    def _connected(self, session: Session, with_token: Collection[str]) -> Access:
        """Return the access of a session whose client is not stored; as far as we know it has a password."""
        name = self.name_of(session)
        client = Client(name, "", "", b"", session.wire.connected_at, self.clock.seconds())
        return Access(client, True, not session.is_anonymous, name in with_token)

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
        self.context.soon(lambda: end(sessions))
        return len(sessions)

    def sessions_of(self, account: Jid, client: str) -> Sequence[Session]:
        """Return the sessions of a client."""
        return [session for session in self.sessions.of(account) if self.name_of(session) == client]


def end(sessions: Sequence[Session]) -> None:
    """End sessions whose client has no access any more."""
    for session in sessions:
        session.wire.close(StreamError("not-authorized", "the access of this client was revoked"))
