"""What all client streams of a node share: the parts of the core that they use, their limits and their counters."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ..config.limits import Limits
from ..protocol.element import Element
from ..protocol.parser import ParserPool
from ..protocol.tree import Limits as ElementLimits
from .authentication import Authenticator
from .clock import Clock
from .endings import Endings
from .hooks import Hooks
from .host import Hosts
from .inbox import Inboxes
from .iq import Iqs
from .line_limit import LineLimit
from .metrics import Metrics, counter
from .offers import Offers
from .router import Router
from .session import Session
from .sessions import Sessions
from .stream_management.management import StreamManagement
from .throttle import LoginThrottle
from .upkeep import Upkeep

Nonza = Callable[[Session, Element], Awaitable[None]]
"""Takes an element that is no stanza (XEP-0360), for a module that knows it; what it raises ends the stream."""


class ClientMetrics(Metrics):
    """What happened on client streams."""

    connections: int = counter("Connections that clients opened.")
    logins: int = counter("Sessions that began.")
    login_failures: int = counter("Failed authentications.")
    stanzas_received: int = counter("Stanzas that clients sent.")
    stanzas_sent: int = counter("Stanzas written to clients.")
    stream_errors: int = counter("Streams that we closed with an error.")
    overflows: int = counter("Sessions closed because their client did not read.")


@dataclass(slots=True)
class ClientContext:
    """What all client streams share.

    :ivar soon: runs a function in the next turn of the loop.
    :ivar nonzas: who takes an element that is no stanza, by its name.
    :ivar offers: the stream features of each kind of stream.
    :ivar parsers: parsers of streams that have a session.
    :ivar early: parsers of streams that have none yet; their limits are small.
    :ivar endings: what ends sessions.
    :ivar management: the sessions whose stanzas are counted (XEP-0198).
    :ivar ends_told: bounds the lines of the log about streams that end with an error.
    :ivar failures_told: bounds those about logins that fail.
    """

    hosts: Hosts
    sessions: Sessions
    hooks: Hooks
    iqs: Iqs
    router: Router
    inboxes: Inboxes
    authenticator: Authenticator
    throttle: LoginThrottle
    upkeep: Upkeep
    limits: Limits
    clock: Clock
    soon: Callable[[Callable[[], None]], Any]
    counters: ClientMetrics = field(default_factory=ClientMetrics)
    nonzas: dict[str, Nonza] = field(default_factory=dict)
    offers: Offers = field(init=False)
    endings: Endings = field(init=False)
    management: StreamManagement = field(init=False)
    parsers: ParserPool = field(init=False)
    early: ParserPool = field(init=False)
    ends_told: LineLimit = field(init=False)
    failures_told: LineLimit = field(init=False)

    def __post_init__(self) -> None:
        self.ends_told = LineLimit(self.clock)
        self.failures_told = LineLimit(self.clock)
        self.offers = Offers(self.hooks)
        self.endings = Endings(self.sessions, self.inboxes, self.hooks, self.router, self.soon)
        self.management = StreamManagement(self.sessions, self.inboxes, self.clock, self.soon, self.endings.end)
        self.limits_changed()

    def limits_changed(self) -> None:
        """Take the limits anew; streams that are open keep theirs."""
        self.offers.forget()
        limits = self.limits
        size, early_size = int(limits.stanza), int(limits.stanza_before_login)  # plain numbers, as errors tell them
        later = ElementLimits(size, limits.depth, limits.attributes, limits.children, limits.namespaces)
        self.parsers = ParserPool(later)
        self.early = ParserPool(later._replace(size=early_size, children=64))
