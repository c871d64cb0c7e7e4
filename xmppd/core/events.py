"""Every core event, in the order in which a stanza meets them.

    StanzaReceived         from a client, addresses checked
    Outbound*              the sender's account: may it leave, is it kept
    (route)                local account, local service, or remote domain
    Inbound*               the recipient's account: may it come in, is it kept
    (commit)               a message that is kept is a row of the log now; nothing below waits for that
    Distributing           which resources of the account get a message
    Delivering             one session: now, later, or not
    Undelivered            nobody took a message: push, bounce
    MessageSent            the message is where it should be: the sender's other resources learn of it

and those of a client that logs in by SASL2 (XEP-0388), in theirs.

    StreamFeatures, InlineFeatures     what it is offered
    TokenShown                         it authenticates by a token (XEP-0484)
    Authenticated                      it has a session already, which it resumes (XEP-0198)
    BindInline                         or it gets one now, with some features enabled (XEP-0386)
    LoginSucceeding                    what else it is told
    SessionBound

"Outbound" and "inbound" are RFC 6121's own words. IQ requests to a host or an account leave this road: they have one
answerer each (see `iq`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..protocol.dataforms import Form
from ..protocol.disco import Identity, Item
from ..protocol.element import Element
from ..protocol.jid import Jid
from .hooks import Collection, Decision, Notice

if TYPE_CHECKING:
    from ..protocol.errors import StreamError
    from ..protocol.fast import Use
    from ..protocol.sasl2 import Authenticate
    from ..protocol.stanza import Stanza
    from .accounts import Account, Credentials
    from .host import Host
    from .session import Session, Wire


@dataclass(slots=True)
class StanzaReceived(Decision):
    """A bound client sent a stanza; `stanza.from_` is its full JID."""

    session: "Session"
    stanza: "Stanza"


@dataclass(slots=True)
class OutboundMessage(Decision):
    """A local user's message is about to leave for its addressee.

    :ivar keep: what handlers want of the sender's copy in the log: flags of `message_log`; none if it needs no row.
    :ivar veto: flags that other handlers do not want to be set.
    """

    sender: "Session"
    stanza: "Stanza"
    keep: int = 0
    veto: int = 0


@dataclass(slots=True)
class OutboundPresence(Decision):
    """A local user sent presence: broadcast (`to` is None), directed, or about a subscription."""

    sender: "Session"
    stanza: "Stanza"


@dataclass(slots=True)
class OutboundIq(Decision):
    """A local user's IQ is about to leave for somebody else."""

    sender: "Session"
    stanza: "Stanza"


@dataclass(slots=True)
class InboundMessage(Decision):
    """A message came for a local account; `stanza.to` is its bare JID or one of its resources.

    :ivar keep: what handlers want of the row in the account's log: flags of `message_log`; none if it needs no row.
    :ivar veto: flags that other handlers do not want to be set.
    """

    account: Jid
    stanza: "Stanza"
    keep: int = 0
    veto: int = 0


@dataclass(slots=True)
class Distributing(Decision):
    """A message that came for a local account goes to its resources now; whoever gets it all settles it.

    :ivar row: the id of its row in the account's log, which is committed; 0 if it has none. It has its `<stanza-id/>`.
    """

    account: Jid
    stanza: "Stanza"
    row: int = 0


@dataclass(slots=True)
class InboundPresence(Decision):
    """Presence came for a local account.

    A probe comes for any name: one of an account that does not exist is answered as a stranger's (RFC 6121, 4.3.2).
    """

    account: Jid
    stanza: "Stanza"


@dataclass(slots=True)
class InboundIq(Decision):
    """An IQ of somebody else came for a local account or one of its resources."""

    account: Jid
    stanza: "Stanza"


@dataclass(slots=True)
class ServiceMessage(Decision):
    """A message came for a local host itself (no localpart)."""

    host: "Host"
    stanza: "Stanza"


@dataclass(slots=True)
class ServicePresence(Decision):
    """Presence came for a local host itself."""

    host: "Host"
    stanza: "Stanza"


@dataclass(slots=True)
class Delivering(Decision):
    """A stanza is about to be written to one session."""

    session: "Session"
    stanza: "Stanza"


@dataclass(slots=True)
class Undelivered(Decision):
    """No resource took a message for a local account that exists; `HANDLED` keeps it from being bounced.

    :ivar row: the id of its row, in which it waits whatever the verdict; 0 if it has none.
    """

    account: Jid
    stanza: "Stanza"
    row: int = 0


@dataclass(slots=True)
class MessageSent(Notice):
    """A local user's message was taken by whoever it is for, and the sender's copy, if there is one, is committed.

    :ivar row: the id of that copy in the sender's log; 0 if there is none.
    """

    sender: "Session"
    stanza: "Stanza"
    row: int = 0


@dataclass(slots=True)
class StreamFeatures(Collection):
    """What to offer in the stream features beside TLS, SASL and resource binding.

    What handlers add depends on these fields and on the configuration alone: it is kept for other streams until modules
    come or go, or the configuration changes.

    :ivar authenticated: whether the client is authenticated.
    :ivar secure: whether secrets may pass: TLS is on, or the listener does without.
    """

    host: "Host"
    authenticated: bool
    secure: bool
    features: list[Element] = field(default_factory=list)


@dataclass(slots=True)
class InlineFeatures(Collection):
    """What a client may ask for together with its authentication (XEP-0388); kept as `StreamFeatures` are.

    :ivar secure: whether TLS is on.
    :ivar bindings: the types of channel binding that the connection has.
    :ivar is_offered: whether SASL2 is offered at all.
    :ivar binds: whether Bind 2 is (XEP-0386).
    :ivar inline: what else stands in `<inline/>`.
    :ivar bind: names of the features that `BindInline` enables.
    :ivar tokens: mechanisms that take a token (XEP-0484).
    :ivar upgrades: hash functions of SCRAM that a client can give us keys of (XEP-0480).
    """

    host: "Host"
    secure: bool
    bindings: tuple[str, ...]
    is_offered: bool = False
    binds: bool = False
    inline: list[Element] = field(default_factory=list)
    bind: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    upgrades: list[str] = field(default_factory=list)


@dataclass(slots=True)
class TokenShown(Decision):
    """A client authenticates by a token (XEP-0484). Only `HANDLED` says that it is good, and `answer` must be there.

    It is asked for accounts that do not exist, too, and must take as long.

    :ivar client: which of the account's clients it is (see `client_identity`); empty if it does not tell.
    :ivar proof: what the client made of the token, and of `binding`, the data of the channel binding.
    :ivar use: how it wants to use it.
    :ivar credentials: the keys of the account's password; None if the account does not exist.
    :ivar answer: proves to the client that we know the token.
    :ivar failure: why it is not good, a SASL condition.
    :ivar is_due: whether it is time for the client to get another one.
    """

    account: Jid
    client: str
    mechanism: str
    proof: bytes
    binding: bytes
    use: "Use"
    credentials: "Credentials | None"
    answer: bytes = b""
    failure: str = "not-authorized"
    is_due: bool = False


@dataclass(slots=True)
class Authenticated(Decision):
    """A client has proved who it is, and asks for the session that it had (XEP-0198). `HANDLED`: `session` is that.

    Nobody must write to it yet: the client is still to be told of its success.

    :ivar wire: what the session is written to from now on.
    :ivar request: all that the client asks for.
    :ivar client: see `TokenShown`.
    :ivar error: ends the stream in place of all that; settle with `DROP`.
    :ivar answers: what goes into the `<success/>`, whether there is a session or not.
    :ivar afterwards: functions that are called as soon as the client was told.
    """

    wire: "Wire"
    account: Jid
    request: "Authenticate"
    client: str
    session: "Session | None" = None
    error: "StreamError | None" = None
    answers: list[Element] = field(default_factory=list)
    afterwards: list[Callable[[], Any]] = field(default_factory=list)


@dataclass(slots=True)
class BindInline(Collection):
    """A session is about to begin, and its client asks for features with it (XEP-0386).

    :ivar session: not in the registry yet; nothing is written to it yet.
    :ivar request: the `<bind/>`; what is asked for is a child of it.
    :ivar answers: what goes into the `<bound/>`.
    :ivar afterwards: functions that are called as soon as the client was told.
    """

    session: "Session"
    request: Element
    answers: list[Element] = field(default_factory=list)
    afterwards: list[Callable[[], Any]] = field(default_factory=list)


@dataclass(slots=True)
class LoginSucceeding(Collection):
    """A client that has authenticated by SASL2 is about to be told so; everything else it asked for is decided.

    :ivar client: see `TokenShown`.
    :ivar mechanism: the one that it has authenticated by.
    :ivar credentials: the keys of the account's password, if the login has looked at them.
    :ivar shown: the token that it was, if it was one.
    :ivar answers: what goes into the `<success/>`.
    """

    account: Jid
    client: str
    mechanism: str
    request: "Authenticate"
    credentials: "Credentials | None"
    shown: TokenShown | None
    answers: list[Element] = field(default_factory=list)


@dataclass(slots=True)
class DiscoInfo(Collection):
    """XEP-0030 information about one of our entities: a host (no localpart), an account or its node.

    :ivar sender: who asks.
    :ivar found: set it to True if `node` is known; nodes nobody knows are `item-not-found`.
    """

    target: Jid
    node: str | None
    sender: Jid
    identities: list[Identity] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    forms: list[Form] = field(default_factory=list)
    found: bool = False


@dataclass(slots=True)
class DiscoItems(Collection):
    """XEP-0030 items of one of our entities; `found` as in `DiscoInfo`."""

    target: Jid
    node: str | None
    sender: Jid
    items: list[Item] = field(default_factory=list)
    found: bool = False


@dataclass(slots=True)
class SessionBound(Notice):
    """A resource was bound."""

    session: "Session"


@dataclass(slots=True)
class SessionEnded(Notice):
    """A session is over and out of the registry.

    :ivar reason: why its connection ended; empty if the client closed its stream in good order.
    """

    session: "Session"
    reason: str


@dataclass(slots=True)
class SessionSilent(Decision):
    """Nothing came from a client for long; `HANDLED` says that it was asked for something it has to answer."""

    session: "Session"


@dataclass(slots=True)
class LoginFailed(Notice):
    """Somebody failed to authenticate.

    :ivar username: the localpart they named, prepared; None if they named none that an account can have.
    """

    host: "Host"
    username: str | None
    address: str


@dataclass(slots=True)
class AccountCreated(Notice):
    """An account was registered."""

    account: "Account"


@dataclass(slots=True)
class AccountDisabled(Notice):
    """An account may not log in any more; what lets somebody in without its password is worth nothing from now on."""

    jid: Jid


@dataclass(slots=True)
class AccountRemoved(Notice):
    """An account is gone; whoever keeps something for it removes it now."""

    jid: Jid
