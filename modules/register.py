"""XEP-0077: In-Band Registration: a new account, another password, the end of an account.

Registration by strangers is off unless the configuration says otherwise, and limited per address. Changing one's
password and cancelling one's account always work, for the account that asks.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import ClassVar, Final

from xmppd.config.schema import Duration, option
from xmppd.core.accounts import AccountExists, Accounts, AccountUnknown, Credentials
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
from xmppd.protocol.errors import (
    BadRequest,
    Conflict,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    RegistrationRequired,
    ResourceConstraint,
    ServiceUnavailable,
    UnexpectedRequest,
)
from xmppd.protocol.jid import Jid, JidError

NS: Final = "jabber:iq:register"
QUERY: Final = f"{{{NS}}}query"
REGISTERED: Final = f"{{{NS}}}registered"
INSTRUCTIONS: Final = f"{{{NS}}}instructions"
USERNAME: Final = f"{{{NS}}}username"
PASSWORD: Final = f"{{{NS}}}password"
REMOVE: Final = f"{{{NS}}}remove"
FEATURE: Final = "http://jabber.org/features/iq-register"
ADDRESSES_KEPT: Final = 10_000

RESERVED: Final = [
    "abuse", "admin", "administrator", "hostmaster", "info", "noc", "postmaster", "root", "security", "support",
    "webmaster", "xmpp",
]  # fmt: skip
"""Names that people take for the server's own: the roles of RFC 2142 and XEP-0157, and who runs machines."""

log = Log("register")


@dataclass(slots=True)
class Config:
    """Who may register, and how often."""

    enabled: bool = option(False, live=True, help="Whether anybody may register an account.")
    per_address: int = option(
        3,
        ge=0,
        live=True,
        help="How many accounts one address, or one IPv6 /64 network, may register in a period; 0 does not limit it.",
    )
    period: Duration = option(Duration("1h"), ge=Duration("1s"), live=True, help="The period of that limit.")
    password_length: int = option(8, ge=1, le=100, live=True, help="How many characters a new password has at least.")
    reserved: list[str] = option(
        RESERVED, live=True, help="User names, in lower case, that strangers cannot register; administrators can."
    )


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
        self._check_stranger(request)
        return E(QUERY, E(INSTRUCTIONS, "Choose a user name and a password."), E(USERNAME), E(PASSWORD))

    @iq("set", QUERY, Target.BEFORE_LOGIN)
    async def register(self, request: IqRequest) -> None:
        """Registration with a Server: make the account."""
        if request.payload.child(REMOVE) is not None:
            raise UnexpectedRequest("only who is logged in can cancel an account")
        self._check_stranger(request)
        assert request.stream is not None, "before login there is a stream"
        jid = self._wanted(request)
        password = self._password(request.payload)
        address = request.stream.peer_address
        self._count(network_of(address))
        try:
            await self._create(jid, password)
        except Exception:
            self._discount(network_of(address))
            raise
        log.info("{jid} was registered from {address}", jid=jid, address=address)

    def _check_stranger(self, request: IqRequest) -> None:
        if request.stanza.to not in (None, request.target):
            raise NotAuthorized("log in before you talk to others")
        if not self.config.enabled:
            raise NotAllowed("accounts are not registered in band here")

    def _wanted(self, request: IqRequest) -> Jid:
        """Return the account that a stranger asks for."""
        username = request.payload.text_of(USERNAME)
        if not username:
            raise NotAcceptable("a user name is needed")
        try:
            jid = Jid.make(username, request.target)
        except JidError as error:
            raise NotAcceptable(f"no account can have that name: {error}") from None
        if jid.localpart in {name.lower() for name in self.config.reserved}:
            raise NotAcceptable("that name is reserved")
        return jid

    def _password(self, query: Element) -> str:
        password = query.text_of(PASSWORD) or ""
        if len(password) < self.config.password_length:
            raise NotAcceptable(f"a password has at least {self.config.password_length} characters")
        return password

    async def _create(self, jid: Jid, password: str) -> None:
        if await self.accounts.get(jid) is not None:
            raise Conflict("that name is taken")
        credentials = await self._derive(password)
        try:
            await self.accounts.create(jid, credentials)
        except AccountExists:
            raise Conflict("that name is taken") from None

    async def _derive(self, password: str) -> Credentials:
        try:
            credentials: Credentials = await self.threads.run(derive_all, password)
        except ValueError as error:
            raise NotAcceptable(f"that password cannot be used: {error}") from None
        return credentials

    def _count(self, network: str) -> None:
        """Count a registration before it is made, so that many at once are not more than one after the other."""
        limit = self.config.per_address
        if not limit:
            return
        now = self.clock.seconds()
        recent = [when for when in self._registered.pop(network, ()) if when > now - self.config.period]
        self._registered[network] = recent
        if len(recent) >= limit:
            raise ResourceConstraint("too many registrations from your address; try again later")
        recent.append(now)
        while len(self._registered) > ADDRESSES_KEPT:
            self._registered.popitem(last=False)

    def _discount(self, network: str) -> None:
        """Forget a registration that failed."""
        times = self._registered.get(network)
        if times:
            times.pop()

    # Account holders

    @iq("get", QUERY, Target.HOST, Target.ACCOUNT)
    async def ask_holder(self, request: IqRequest) -> Element:
        """Entity Registers with a Host: a registered entity is told that it is registered."""
        sender = _holder(request)
        if sender is None:
            raise ServiceUnavailable("this host registers no accounts for others")
        instructions = E(INSTRUCTIONS, "You are registered. Send your user name and a new password to change it.")
        return E(QUERY, E(REGISTERED), instructions, E(USERNAME, sender.account.localpart), E(PASSWORD))

    @iq("set", QUERY, Target.HOST, Target.ACCOUNT)
    async def change(self, request: IqRequest) -> None:
        """Cancel the account, or change its password."""
        sender = _holder(request)
        if sender is None:
            raise RegistrationRequired("you have no account at this host")
        if request.payload.child(REMOVE) is not None:
            await self._cancel(request, sender)
        else:
            await self._change_password(request, sender)

    async def _cancel(self, request: IqRequest, sender: Session) -> None:
        """Entity Cancels an Existing Registration."""
        if len(list(request.payload.elements())) > 1:
            raise BadRequest("remove stands alone")
        try:
            await self.accounts.delete(sender.account)
        except AccountUnknown:
            raise RegistrationRequired("that account was cancelled") from None
        log.info("{jid} cancelled its account", jid=sender.account)

    async def _change_password(self, request: IqRequest, sender: Session) -> None:
        """User Changes Password: over TLS only, and for oneself only."""
        if not sender.wire.secure:
            raise NotAuthorized("a password is not sent in the clear")
        username, password = request.payload.text_of(USERNAME), request.payload.text_of(PASSWORD)
        if not username or not password:
            raise BadRequest("a user name and a new password are needed")
        if not _is_name_of(username, sender.account):
            raise NotAllowed("that is not your account")
        credentials = await self._derive(self._password(request.payload))
        try:
            await self.accounts.set_credentials(sender.account, credentials)
        except AccountUnknown:
            raise RegistrationRequired("that account was cancelled") from None
        log.info("{jid} changed its password", jid=sender.account)


def _holder(request: IqRequest) -> Session | None:
    """Return the session that asks if its account is one of this host; None for strangers and guests."""
    sender = request.sender
    if sender is None or sender.is_anonymous or sender.account.domainpart != request.target.domainpart:
        return None
    return sender


def _is_name_of(username: str, account: Jid) -> bool:
    try:
        return Jid.make(username, account.domainpart) == account
    except JidError:
        return False


def network_of(address: str) -> str:
    """Return what counts as one address: that of IPv4, or the /64 of IPv6, since a household has a whole one."""
    if ":" not in address:
        return address
    parsed = IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
