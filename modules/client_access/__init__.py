"""XEP-0494: Client Access Management: which clients can get into an account, and how one of them is kept out.

* `store` keeps the clients that have logged in by SASL2 and told a name; others are known while they are connected.
* `access` puts together who has access, and takes it away.

What a client knows of the password cannot be taken from it but by another password: so says the answer to a user.
An administrator's command takes the rest all the same, and says so, too.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from xmppd.config.limits import Limits
from xmppd.config.schema import Duration, option
from xmppd.core.accounts import Accounts
from xmppd.core.client_context import ClientContext
from xmppd.core.client_identity import CLIENT
from xmppd.core.clock import Clock
from xmppd.core.commands import CommandError, Done, Exit, Table, argument, command
from xmppd.core.credentials import marks
from xmppd.core.drive import drive_alone
from xmppd.core.events import AccountRemoved, LoginSucceeding, SessionBound, SessionEnded
from xmppd.core.hooks import collect, notice
from xmppd.core.iq import IqRequest, iq
from xmppd.core.loader import Loader
from xmppd.core.log import Log
from xmppd.core.module import Module, Xep
from xmppd.core.results import moment
from xmppd.core.sessions import Sessions
from xmppd.core.shards import Shards
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, ItemNotFound, ServiceUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.timestamps import format_time

from .access import Access, AccessList, end
from .store import STALE, Client, ClientStore

NS: Final = "urn:xmpp:cam:0"
IN_MIND: Final = 10_000  # clients that this node has noted lately
PASSWORD_MECHANISMS: Final = ("PLAIN", "SCRAM-")

log = Log("client_access")


@dataclass(slots=True)
class Config:
    """What is kept of clients, and for how long."""

    keep: Duration = option(
        Duration("90d"), ge=Duration("1d"), live=True, help="For how long a client is listed that does not come back."
    )
    clients: int = option(100, ge=1, le=1000, live=True, help="How many clients of one account are listed.")
    descriptions: bool = option(
        True, live=True, help="Whether to keep what clients call themselves and the devices they run on."
    )


@dataclass(slots=True)
class ClientAccess(Module):
    """Lists the clients of an account, and revokes their access."""

    name: ClassVar = "client_access"
    xeps: ClassVar = (Xep(494, "0.1.0", leaves_out="grants; there are none"),)
    account_features: ClassVar = (NS,)

    accounts: Accounts
    clients: ClientContext
    clock: Clock
    config: Config
    limits: Limits
    loader: Loader
    sessions: Sessions
    shards: Shards
    _store: ClientStore = field(init=False)
    _access: AccessList = field(init=False)
    _revoked: dict[tuple[str, str], float] = field(default_factory=dict, init=False)
    _noted: "OrderedDict[tuple[str, str], Client]" = field(default_factory=OrderedDict, init=False)

    def __post_init__(self) -> None:
        self._store = ClientStore(self.shards)
        self._access = AccessList(self.accounts, self.clock, self.loader, self.sessions, self.clients, self._store)

    # What is known of clients

    @collect(LoginSucceeding)
    async def note(self, event: LoginSucceeding) -> None:
        """A client has logged in; the login does not wait until that is written."""
        if event.client:
            drive_alone(
                self._note(event),
                lambda error: log.failure("a client of {jid} is not listed", error, jid=event.account),
            )

    async def _note(self, event: LoginSucceeding) -> None:
        agent, now = event.request.user_agent, self.clock.seconds()
        described = (agent.software, agent.device) if self.config.descriptions else ("", "")
        mark = b""
        if event.mechanism.startswith(PASSWORD_MECHANISMS):
            mark = next(iter(marks(event.credentials or {})), b"")
        seen = Client(event.client, *described, mark, now, now)
        if self._is_news(event.account, seen):
            await self._store.note(event.account, seen, self.config.clients, now - self.config.keep)
            self._keep_in_mind(event.account, seen)

    def _is_news(self, account: Jid, seen: Client) -> bool:
        """Say whether a client says something that was not written lately; whoever comes back says the same."""
        noted = self._noted.get((account, seen.client))
        if noted is None or seen.last_seen >= noted.last_seen + STALE:
            return True
        mark = seen.mark or noted.mark
        return (seen.software, seen.device, mark) != (noted.software, noted.device, noted.mark)

    def _keep_in_mind(self, account: Jid, seen: Client) -> None:
        self._noted[account, seen.client] = seen
        self._noted.move_to_end((account, seen.client))
        if len(self._noted) > IN_MIND:
            self._noted.popitem(last=False)

    @notice(SessionEnded)
    async def see(self, event: SessionEnded) -> None:
        """A client was there until now."""
        client = event.session[CLIENT]
        if client:
            await self._store.see(event.session.account, client, self.clock.seconds())

    @notice(AccountRemoved)
    async def forget(self, event: AccountRemoved) -> None:
        """Nothing is left of an account that is gone."""
        for key in [key for key in self._noted if key[0] == event.jid]:
            del self._noted[key]
        await self._store.forget(event.jid)

    # What its owner asks

    @iq("get", f"{{{NS}}}list")
    async def list_own(self, request: IqRequest) -> Element:
        """Listing clients."""
        return E(f"{{{NS}}}clients", *[self._element(access) for access in await self._access.of(request.target)])

    def _element(self, access: Access) -> Element:
        client = access.client
        last_seen = self.clock.seconds() if access.is_connected else client.last_seen
        return E(
            f"{{{NS}}}client",
            E(f"{{{NS}}}first-seen", format_time(int(client.first_seen))),
            E(f"{{{NS}}}last-seen", format_time(int(last_seen))),
            E(f"{{{NS}}}auth", *[E(f"{{{NS}}}{name}") for name in methods(access)]),
            E(f"{{{NS}}}permission", status="unrestricted"),
            _user_agent(client),
            connected="true" if access.is_connected else "false",
            id=client.client,
            type="session",
        )

    @iq("set", f"{{{NS}}}revoke")
    async def revoke_own(self, request: IqRequest) -> None:
        """Revoking access: of a client that does not know the password."""
        client = request.payload.get("id")
        if not client:
            raise BadRequest("whose access?")
        access = await self._access.get(request.target, client)
        if access is None:
            raise ItemNotFound("there is no such client")
        if access.knows_password:
            raise ServiceUnavailable("it knows the password", specific=E(f"{{{NS}}}password-reset-required"))
        await self._revoke(request.target, client)
        log.info("{jid} revoked the access of its client {client}", jid=request.target, client=client)

    # What administrators ask

    @command("device list", scoped=True)
    async def list_all(self, jid: Annotated[Jid, argument("The account")]) -> Table:
        """List the clients that have access to an account."""
        jid = await self._require(jid)
        rows = [
            [
                access.client.client,
                access.client.software or None,
                access.client.device or None,
                access.is_connected,
                ", ".join(methods(access)) or None,
                moment(access.client.first_seen),
                moment(access.client.last_seen),
            ]
            for access in await self._access.of(jid)
        ]
        return Table(("id", "software", "device", "connected", "auth", "first_seen", "last_seen"), rows)

    @command("device revoke", danger=True, scoped=True)
    async def revoke(
        self,
        jid: Annotated[Jid, argument("The account")],
        id: Annotated[str, argument("The client's id, as device list shows it")],
    ) -> Done:
        """Take a client's token and end its sessions.

        A client that knows the password can log in again: account passwd keeps it out.
        """
        jid = await self._require(jid)
        access = await self._access.get(jid, id)
        if access is None:
            raise CommandError(f"{jid} has no client {id}", "device list shows its clients", Exit.UNKNOWN)
        ended = await self._revoke(jid, id)
        warning = "; it knows the password, so set another one" if access.knows_password else ""
        facts = {"account": jid, "client": id, "sessions": ended, "knows_password": access.knows_password}
        return Done(f"{id} has no token and no session of {jid} any more{warning}", facts)

    async def _revoke(self, account: Jid, client: str) -> int:
        now = self.clock.seconds()
        self._revoked = {key: when for key, when in self._revoked.items() if when > now - self.limits.negotiation}
        self._revoked[account, client] = now
        self._noted.pop((account, client), None)
        return await self._access.revoke(account, client)

    @notice(SessionBound)
    async def end_late(self, event: SessionBound) -> None:
        """Who was about to log in when its access was revoked has none either."""
        session = event.session
        when = self._revoked.get((session.account, session[CLIENT]))
        if when is not None and session.wire.connected_at <= when:
            end([session])

    async def _require(self, jid: Jid) -> Jid:
        account = await self.accounts.get(jid.bare)
        if account is None:
            raise CommandError(f"there is no account {jid}", code=Exit.UNKNOWN)
        return account.jid


def methods(access: Access) -> list[str]:
    """Return the known ways in which a client has access, by the names of their elements."""
    ways = {"password": access.knows_password, "fast": access.has_token}
    return [name for name, is_open in ways.items() if is_open]


def _user_agent(client: Client) -> Element | None:
    told = [(name, text) for name, text in (("software", client.software), ("device", client.device)) if text]
    return E(f"{{{NS}}}user-agent", *[E(f"{{{NS}}}{name}", text) for name, text in told]) if told else None
