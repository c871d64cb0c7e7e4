"""XEP-0198: Stream Management: acknowledged stanzas, and sessions that outlive their connections.

This switches it on; how it works is in `xmppd.core.stream_management` and `xmppd.protocol.stream_management`. While it
is switched off no session is managed anew; those that are managed stay so until they end.
"""

from dataclasses import dataclass
from typing import ClassVar, cast

from xmppd.config.schema import Duration, Size, option
from xmppd.core.client_context import ClientContext
from xmppd.core.events import Authenticated, BindInline, InlineFeatures, SessionSilent, StreamFeatures
from xmppd.core.hooks import Phase, Verdict, collect, on
from xmppd.core.module import Module, Xep
from xmppd.core.stream_management.managed import Driver
from xmppd.core.stream_management.management import managed_of
from xmppd.protocol.element import Element
from xmppd.protocol.errors import StanzaError, StreamError
from xmppd.protocol.stream_management import ANSWER, ENABLE, FEATURE, NS, REQUEST, RESUME, failed, read_enable


@dataclass
class Config:
    """How long sessions wait for their clients, and how much is kept for them."""

    time_out: Duration = option(
        Duration("10m"),
        ge=Duration("10s"),
        le=Duration("1d"),
        live=True,
        help="How long a session whose connection is lost waits to be resumed; its client may wish for less.",
    )
    unacknowledged: int = option(
        5000,
        ge=100,
        le=1_000_000,
        live=True,
        help="How many stanzas may wait for their acknowledgement; one more ends the session, messages are kept.",
    )
    unacknowledged_size: Size = option(
        Size("4 MiB"), ge=Size("64 KiB"), le=Size("1 GiB"), live=True, help="How many bytes of them may wait."
    )
    ask_after: int = option(
        10, ge=1, le=1000, live=True, help="Behind how many stanzas a client is asked for an acknowledgement at once."
    )
    ask_after_size: Size = option(
        Size("16 KiB"), ge=Size("1 KiB"), le=Size("1 MiB"), live=True, help="Behind how many bytes."
    )
    answer_within: Duration = option(
        Duration("1m"),
        ge=Duration("5s"),
        le=Duration("1h"),
        help="How long an acknowledgement may be missing, and nothing else come, before the connection counts as dead.",
    )
    hibernating: int = option(
        50_000, ge=0, le=10_000_000, live=True, help="How many sessions may wait to be resumed on this node."
    )
    hibernating_per_account: int = option(
        10, ge=0, le=1000, live=True, help="How many of one account; the oldest ends for one more."
    )
    location: str = option("", live=True, help="Where clients should resume their sessions, if not where they log in.")


@dataclass(slots=True)
class StreamManagementModule(Module):
    """Counts stanzas, and lets sessions be resumed."""

    name: ClassVar = "stream_management"
    xeps: ClassVar = (Xep(198, "1.6.3"),)

    clients: ClientContext
    config: Config

    async def start(self) -> None:
        """Take the elements of clients, and let them enable it."""
        management = self.clients.management
        management.switch_on(self.config)
        self.clients.nonzas.update(
            {
                ENABLE: management.take_enable,
                RESUME: management.take_resume,
                REQUEST: management.take_request,
                ANSWER: management.take_answer,
            }
        )

    async def stop(self) -> None:
        """Let nobody enable it any more; whose stanzas are counted may go on."""
        self.clients.management.switch_off()

    @collect(StreamFeatures)
    async def offer(self, event: StreamFeatures) -> None:
        """Stream Feature: behind authentication, as a session may be resumed there."""
        if event.authenticated:
            event.features.append(FEATURE)

    @collect(InlineFeatures)
    async def offer_inline(self, event: InlineFeatures) -> None:
        """Inline: a session may be resumed by the authentication (XEP-0388), or counted from its start (XEP-0386)."""
        event.inline.append(FEATURE)
        event.bind.append(NS)

    @on(Authenticated, Phase.DELIVER)
    async def resume_inline(self, event: Authenticated) -> Verdict | None:
        """Let a session go on with the stream that has just authenticated; if it does not, a new one may begin."""
        element = event.request.request(RESUME)
        if element is None:
            return None
        try:
            found = await self.clients.management.resume_as_asked(event.account, element)
        except StreamError as error:
            event.error = error
            return Verdict.DROP
        if isinstance(found, Element):
            event.answers.append(found)
            return None
        event.session = found.session
        event.answers.append(found.element)
        event.afterwards.append(lambda: found.begin(cast(Driver, event.wire)))
        return Verdict.HANDLED

    @collect(BindInline)
    async def enable_inline(self, event: BindInline) -> None:
        """Count the stanzas of a session that is about to begin."""
        element = event.request.child(ENABLE)
        if element is None:
            return
        try:
            wish = read_enable(element)
            event.answers.append(self.clients.management.enable(event.session, wish.resume, wish.seconds))
        except StanzaError as error:
            event.answers.append(failed(error))

    @on(SessionSilent, Phase.COPY)
    async def ask(self, event: SessionSilent) -> Verdict | None:
        """Ask for an acknowledgement as a sign of life, where stanzas are counted: it costs less than a ping."""
        managed = managed_of(event.session)
        if managed is None:
            return None
        managed.ask(is_needed=True)
        return Verdict.HANDLED
