"""One stream's way through SASL2 (XEP-0388): from one element to a session, where the client asks for it.

`sasl` leads the exchange. Here is what comes with it: tasks that are done behind it (`upgrade`), then whatever else the
client has asked for: the session that it had (XEP-0198), or a new one with a resource of its own (XEP-0386) and
features enabled, and a token for the next time (XEP-0484). All of that is decided before the client is told of its
success, in one element; and nothing of it happens if the authentication fails.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ..protocol import bind2, fast
from ..protocol.element import Element
from ..protocol.errors import SaslFailure, StreamError
from ..protocol.jid import Jid
from ..protocol.sasl.exchange import encode
from ..protocol.sasl2 import UPGRADE, Authenticate, success
from ..protocol.scram_upgrade import hashes_of
from ..protocol.stream import Stream
from .authentication import Login
from .client_context import ClientContext
from .client_identity import CLIENT, client_of, identifier_of
from .events import Authenticated, BindInline, InlineFeatures, LoginSucceeding
from .features import offer
from .hooks import Verdict
from .host import Host
from .sasl import Sasl
from .session import Session
from .token_check import TokenCheck
from .upgrade import Upgrades

if TYPE_CHECKING:
    from .client_stream import ClientStream

PASSWORD_MECHANISMS: Final = ("SCRAM-", "PLAIN")


class Steps(NamedTuple):
    """What the login does for us.

    :ivar driver: the stream's driver.
    :ivar flush: writes what the stream has to send.
    :ivar begin: begins a session; takes it and the bytes that came behind the request for it.
    :ivar go_on: lets a session that was resumed go on with such bytes.
    """

    driver: "ClientStream"
    flush: Callable[[], None]
    begin: Callable[[Session, bytes], Awaitable[None]]
    go_on: Callable[[bytes], None]


class Sasl2:
    """The SASL2 negotiation of one stream.

    :param inline: what was offered.
    :param host: whose accounts log in.
    :param named: who the client says it is in its stream header, if it does.
    """

    __slots__ = (
        "_check", "_context", "_host", "_inline", "_named", "_request", "_sasl", "_steps",
        "_stream", "_text", "_upgrades",
    )  # fmt: skip

    def __init__(
        self,
        steps: Steps,
        context: ClientContext,
        stream: Stream,
        sasl: Sasl,
        inline: InlineFeatures,
        host: Host,
        named: Jid | None,
    ) -> None:
        self._steps = steps
        self._context = context
        self._stream = stream
        self._sasl = sasl
        self._inline = inline
        self._host = host
        self._named = named
        self._text = ""  # what the mechanism sends with the success, until it was sent
        self._check: TokenCheck
        self._request: Authenticate
        self._upgrades: Upgrades

    # The exchange

    async def begin(self, request: Authenticate) -> None:
        """Begin an exchange.

        :raises StreamError: it was one try too many.
        """
        self._request = request
        try:
            element = request.request(fast.FAST)
            use = None if element is None else fast.read_use(element)
        except SaslFailure as failure:
            await self._sasl.refuse(failure, self._host)
            return
        secret, agent = self._context.authenticator.secret, request.user_agent.id
        self._check = TokenCheck(self._context.hooks, secret, agent, tuple(self._inline.tokens), use)
        await self._authenticated(await self._sasl.begin(request.mechanism, request.text, self._host, self._check))

    async def respond(self, text: str) -> None:
        """Take a response.

        :raises StreamError: it was one try too many.
        """
        await self._authenticated(await self._sasl.respond(text, self._host))

    async def _authenticated(self, login: Login | None) -> None:
        if login is None:
            return
        if self._named is not None and not login.is_anonymous and login.account != self._named:
            failure = SaslFailure("invalid-authzid", "The stream's from attribute is another account.")
            await self._sasl.refuse(failure, self._host)
            return
        self._text = encode(login.data)
        if self._check.shown is not None:
            self._sasl.client = self._check.shown.client
        elif not login.is_anonymous:
            secret, agent = self._context.authenticator.secret, self._request.user_agent.id
            self._sasl.client = client_of(secret, login.account, agent)
        self._upgrades = self._asked_for(login)
        await self._next(login)

    # Tasks

    def _asked_for(self, login: Login) -> Upgrades:
        """Return the upgrades that the client wants and may have: one that has just shown the password."""
        wanted: list[str] = []
        credentials = self._sasl.credentials
        if credentials and self._request.mechanism.startswith(PASSWORD_MECHANISMS):
            tasks = [element.text.strip() for element in self._request.element.elements() if element.name == UPGRADE]
            wanted = hashes_of(tasks, self._inline.upgrades)
        accounts = self._context.authenticator.accounts
        return Upgrades(accounts, login.account, credentials or {}, wanted)

    async def _next(self, login: Login) -> None:
        """Ask for the next task, or end."""
        if self._upgrades.task:
            self._stream.ask_for(self._upgrades.task, self._text)
            self._text = ""
        else:
            await self._succeed(login)

    async def begin_task(self, task: str) -> None:
        """Begin a task, as the client asks."""
        try:
            self._stream.send_task_data(self._upgrades.begin(task))
        except SaslFailure as failure:
            await self._sasl.refuse(failure, self._host)

    async def take_task_data(self, data: Element) -> None:
        """Take what the client has to say to the task."""
        login = self._sasl.login
        assert login is not None, "the table lets tasks come behind an exchange only"
        try:
            await self._upgrades.finish(data)
        except SaslFailure as failure:
            await self._sasl.refuse(failure, self._host)
            return
        if not self._stream.is_closed:
            await self._next(login)

    # Success

    async def _succeed(self, login: Login) -> None:
        """Do all that was asked for, then tell the client.

        What must not wait any more once it is done comes last: to resume a session, to enable features of one.
        """
        self._sasl.accept(login)
        told = await self._context.hooks.collect(
            LoginSucceeding(
                login.account,
                self._sasl.client,
                self._request.mechanism,
                self._request,
                self._sasl.credentials,
                self._check.shown,
            )
        )
        features = await self._features(bound=True)
        resumed = await self._resume(login)
        if self._stream.is_closed:
            return
        if resumed.session is not None:
            self._go_on(resumed, features, [*resumed.answers, *told.answers])
            return
        bound = await self._bind(login)
        if bound is not None:
            await self._begin(bound, features, [*resumed.answers, bind2.bound(bound.answers), *told.answers])
        elif not self._stream.is_closed:
            features = await self._features(bound=False)
            self._stream.complete(
                success(login.account, self._text, [*resumed.answers, *told.answers]), features, is_bound=False
            )

    async def _resume(self, login: Login) -> Authenticated:
        """Let the client have the session that it had, if it asks for it and there still is one.

        :raises StreamError: it must not go on at all.
        """
        event = Authenticated(self._steps.driver, login.account, self._request, self._sasl.client)
        if self._stream.is_closed:
            return event
        if await self._context.hooks.decide(event) is not Verdict.HANDLED:
            event.session = None
        if event.error is not None:
            raise event.error
        return event

    def _go_on(self, resumed: Authenticated, features: bytes, answers: list[Element]) -> None:
        assert resumed.session is not None, "it was found"
        identifier = resumed.session.jid
        if self._sasl.client:
            resumed.session[CLIENT] = self._sasl.client
        rest = self._stream.complete(success(identifier, self._text, answers), features, is_bound=True)
        self._steps.flush()
        self._sasl.expect(None)
        for function in resumed.afterwards:
            function()
        self._steps.go_on(rest)

    async def _bind(self, login: Login) -> BindInline | None:
        """Make the session that the client asks for (XEP-0386), with its features; None if it asks for none.

        An account that has too many sessions gets none either: the client is told its bare address, and may bind a
        resource as RFC 6120 has it, which tells it why.
        """
        request = self._request.request(bind2.BIND)
        if request is None or not self._inline.binds:
            return None
        session = self._new_session(login, request)
        if not self._has_room(session):
            return None
        bound = await self._context.hooks.collect(BindInline(session, request))
        if self._stream.is_closed or not self._has_room(session):
            self._undo()
            return None
        return bound

    def _new_session(self, login: Login, request: Element) -> Session:
        secret, agent = self._context.authenticator.secret, self._request.user_agent.id
        identifier = identifier_of(secret, login.account, None if login.is_anonymous else agent)
        jid = bind2.address(login.account, request, identifier)
        session = Session(jid, self._steps.driver, is_anonymous=login.is_anonymous)
        if self._sasl.client:
            session[CLIENT] = self._sasl.client
        return session

    def _has_room(self, session: Session) -> bool:
        """Say whether a session may begin, beside those that it does not replace."""
        account, limits = session.account, self._context.limits
        others = len(self._context.sessions.of(account)) - len(self._replaced(session))
        return others < limits.sessions_per_account or self._context.management.make_room(account)

    def _replaced(self, session: Session) -> list[Session]:
        """Return the sessions that end when this one begins: of its resource, and of its client (XEP-0386)."""
        return [
            other
            for other in self._context.sessions.of(session.account)
            if other.resource == session.resource or (self._sasl.client and other[CLIENT] == self._sasl.client)
        ]

    def _undo(self) -> None:
        """Let nothing remain of a session that did not begin."""
        managed, self._steps.driver.managed = self._steps.driver.managed, None
        if managed is not None:
            self._context.management.over(managed)

    async def _begin(self, bound: BindInline, features: bytes, answers: list[Element]) -> None:
        session = bound.session
        for other in self._replaced(session):
            other.wire.close(StreamError("conflict", "replaced by a new session of the same client"))
        rest = self._stream.complete(success(session.jid, self._text, answers), features, is_bound=True)
        self._steps.flush()
        await self._steps.begin(session, rest)

    async def _features(self, *, bound: bool) -> bytes:
        stream, context = self._steps.driver, self._context
        return (await offer(stream, context, self._host, authenticated=True, bound=bound)).features
