"""XEP-0077: In-Band Registration: a new account, another password, the end of an account.

Registration by strangers is off unless the configuration says otherwise, and limited per address. Changing one's
password and cancelling one's account always work, for the account that asks.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import ClassVar

from xmppd.config.schema import Duration, option
from xmppd.core.accounts import AccountExists, Accounts, Credentials
from xmppd.core.clock import Clock
from xmppd.core.credentials import derive_all
from xmppd.core.events import StreamFeatures
from xmppd.core.hooks import collect
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.log import Log
from xmppd.core.module import Module, Xep
from xmppd.core.session import Session
from xmppd.core.threads import Threads
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, Conflict, Forbidden, NotAcceptable, NotAllowed, ResourceConstraint
from xmppd.protocol.jid import Jid, JidError

NS = "jabber:iq:register"
QUERY = f"{{{NS}}}query"
FEATURE = "http://jabber.org/features/iq-register"
ADDRESSES_KEPT = 10_000

log = Log("register")


@dataclass(slots=True)
class Config:
    """Who may register, and how often."""

    enabled: bool = option(False, live=True, help="Whether anybody may register an account.")
    per_address: int = option(
        3, ge=0, live=True, help="How many accounts one address may register in a period; 0 does not limit it."
    )
    period: Duration = option(Duration("1h"), ge=Duration("1s"), live=True, help="The period of that limit.")
    password_length: int = option(8, ge=1, le=100, live=True, help="How many characters a new password has at least.")


@dataclass(slots=True)
class Register(Module):
    """Registers accounts, changes passwords, cancels accounts."""

    name: ClassVar = "register"
    xeps: ClassVar = (Xep(77, "2.4", leaves_out="data forms and redirection"),)
    features: ClassVar = (NS,)

    accounts: Accounts
    clock: Clock
    config: Config
    threads: Threads
    _registered: "OrderedDict[str, list[float]]" = field(default_factory=OrderedDict, init=False)

    @collect(StreamFeatures)
    async def offer(self, event: StreamFeatures) -> None:
        """Stream Feature: only where a registration would be accepted."""
        if self.config.enabled and not event.authenticated and event.secure:
            event.features.append(E(f"{{{FEATURE}}}register"))

    # Strangers

    @iq("get", QUERY, Target.BEFORE_LOGIN)
    async def ask_stranger(self, request: IqRequest) -> Element:
        """Entity Registers with a Host: which fields are needed."""
        self._require_enabled()
        return E(
            QUERY,
            E(f"{{{NS}}}instructions", "Choose a user name and a password."),
            E(f"{{{NS}}}username"),
            E(f"{{{NS}}}password"),
        )

    @iq("set", QUERY, Target.BEFORE_LOGIN)
    async def register(self, request: IqRequest) -> None:
        """Entity Registers with a Host: make the account."""
        self._require_enabled()
        assert request.stream is not None, "before login there is a stream"
        jid = self._named(request, request.target)
        password = self._password(request.payload)
        address = request.stream.peer_address
        self._check_rate(address)
        if await self.accounts.get(jid) is not None:
            raise Conflict("that name is taken")
        credentials = await self._derive(password)
        try:
            await self.accounts.create(jid, credentials)
        except AccountExists:
            raise Conflict("that name is taken") from None
        self._count(address)
        log.info("{jid} was registered from {address}", jid=jid, address=address)

    def _require_enabled(self) -> None:
        if not self.config.enabled:
            raise NotAllowed("accounts are not registered in band here")

    def _named(self, request: IqRequest, host: Jid) -> Jid:
        username = request.payload.text_of(f"{{{NS}}}username") or ""
        if not username:
            raise NotAcceptable("a user name is needed")
        try:
            return Jid.make(username, host)
        except JidError as error:
            raise NotAcceptable(f"no account can have that name: {error}") from None

    def _password(self, query: Element) -> str:
        password = query.text_of(f"{{{NS}}}password") or ""
        if len(password) < self.config.password_length:
            raise NotAcceptable(f"a password has at least {self.config.password_length} characters")
        return password

    async def _derive(self, password: str) -> Credentials:
        try:
            credentials: Credentials = await self.threads.run(derive_all, password)
        except ValueError as error:
            raise NotAcceptable(f"that password cannot be used: {error}") from None
        return credentials

    def _check_rate(self, address: str) -> None:
        since = self.clock.seconds() - self.config.period
        recent = [when for when in self._registered.get(address, ()) if when > since]
        if self.config.per_address and len(recent) >= self.config.per_address:
            raise ResourceConstraint("too many registrations from your address; try again later")

    def _count(self, address: str) -> None:
        if not self.config.per_address:
            return
        times = self._registered.setdefault(address, [])
        times.append(self.clock.seconds())
        del times[: -self.config.per_address]
        self._registered.move_to_end(address)
        while len(self._registered) > ADDRESSES_KEPT:
            self._registered.popitem(last=False)

    # Account holders

    @iq("get", QUERY, Target.HOST, Target.ACCOUNT)
    async def ask_holder(self, request: IqRequest) -> Element:
        """A registered entity learns that it is registered."""
        sender = _own_session(request)
        return E(
            QUERY, E(f"{{{NS}}}registered"), E(f"{{{NS}}}username", sender.account.localpart), E(f"{{{NS}}}password")
        )

    @iq("set", QUERY, Target.HOST, Target.ACCOUNT)
    async def change(self, request: IqRequest) -> None:
        """Cancel the account, or change its password."""
        sender = _own_session(request)
        children = list(request.payload.elements())
        if any(child.name == f"{{{NS}}}remove" for child in children):
            if len(children) > 1:
                raise BadRequest("remove stands alone")
            await self.accounts.delete(sender.account)
            log.info("{jid} cancelled its account", jid=sender.account)
            return
        await self._change_password(request, sender)

    async def _change_password(self, request: IqRequest, sender: Session) -> None:
        """User-Initiated Password Change: over TLS only, and for oneself only."""
        if not sender.wire.secure:
            raise NotAcceptable("a password is not sent in the clear")
        if self._named(request, Jid.parse(sender.account.domainpart)) != sender.account:
            raise NotAllowed("that is not your account")
        await self.accounts.set_credentials(sender.account, await self._derive(self._password(request.payload)))
        log.info("{jid} changed its password", jid=sender.account)


def _own_session(request: IqRequest) -> Session:
    """Return the session of the account that asks; nobody may ask for another's, or from another server."""
    sender = request.sender
    if sender is None or sender.is_anonymous or sender.account.domainpart != request.target.domainpart:
        raise Forbidden("only the account itself may do this")
    return sender
