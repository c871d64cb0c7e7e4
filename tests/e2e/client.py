"""slixmpp as the independent client."""

import asyncio
import ssl
from typing import Any

from slixmpp import ClientXMPP
from slixmpp.stanza import Iq, Message, Presence
from slixmpp.xmlstream.stanzabase import StanzaBase

from .node import Place

PLUGINS = ("xep_0004", "xep_0012", "xep_0030", "xep_0077", "xep_0092", "xep_0115", "xep_0199", "xep_0202")


class LoginFailed(Exception):
    """The server did not let the client in."""


class Client(ClientXMPP):
    """One session. What it receives and nothing asked for waits in `messages`, `presences` and `pushes`."""

    def __init__(
        self, jid: str, password: str, trusted: ssl.SSLContext, *, mechanism: str | None = None, **settings: Any
    ) -> None:
        super().__init__(jid, password, sasl_mech=mechanism, ssl_context=trusted, **settings)
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.presences: asyncio.Queue[Presence] = asyncio.Queue()
        self.pushes: asyncio.Queue[Iq] = asyncio.Queue()
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.auto_authorize = None
        self.auto_subscribe = False
        self.whitespace_keepalive = False
        self._stream_error = ""
        self.add_filter("in", self._note)
        self.add_event_handler("stream_error", self._note_error)
        self.add_event_handler("disconnected", self._note_end)
        for plugin in PLUGINS:
            self.register_plugin(plugin)

    def _note(self, stanza: StanzaBase) -> StanzaBase:
        if isinstance(stanza, Message):
            self.messages.put_nowait(stanza)
        elif isinstance(stanza, Presence):
            self.presences.put_nowait(stanza)
        elif (
            isinstance(stanza, Iq)
            and stanza["type"] == "set"
            and stanza.xml.find("{jabber:iq:roster}query") is not None
        ):
            self.pushes.put_nowait(stanza)
        return stanza

    def _note_error(self, error: Any) -> None:
        self._stream_error = error["condition"]

    def _note_end(self, _: object) -> None:
        if not self.gone.done():
            self.gone.set_result(self._stream_error)

    async def logs_in(self, place: Place, *, direct: bool = False) -> None:
        """Connect and go on to a session; no presence is sent.

        :raises LoginFailed: the server does not want us.
        """
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def failed(_: object) -> None:
            if not outcome.done():
                outcome.set_exception(LoginFailed(self._stream_error))

        def started(_: object) -> None:
            if not outcome.done():
                outcome.set_result(None)

        self.enable_direct_tls, self.enable_starttls = direct, not direct
        self.add_event_handler("session_start", started)
        for event in ("failed_all_auth", "disconnected", "connection_failed"):
            self.add_event_handler(event, failed)
        self.connect(*place)
        await outcome

    async def comes_online(self, priority: int | None = None) -> None:
        """Ask for the roster and send initial presence; wait until the server has taken it."""
        await self.get_roster()
        self.send_presence(ppriority=priority)
        while (await self.presence())["from"] != self.boundjid:
            pass

    async def message(self) -> Message:
        """Return the next message."""
        return await self.messages.get()

    async def presence(self) -> Presence:
        """Return the next presence."""
        return await self.presences.get()

    async def push(self) -> tuple[str, str, str]:
        """Return the next roster push: whom it is about, the subscription, and what was asked for."""
        item = (await self.pushes.get()).xml.find("{jabber:iq:roster}query/{jabber:iq:roster}item")
        return item.get("jid"), item.get("subscription"), item.get("ask", "")

    async def barrier(self) -> None:
        """Wait for a ping's answer: what we sent before is handled, and what we were sent before has come."""
        await self.plugin["xep_0199"].send_ping(self.boundjid.domain)

    async def receives_nothing(self) -> None:
        """Check that nothing waits, and that nothing was on its way."""
        await self.barrier()
        for queue in (self.messages, self.presences, self.pushes):
            assert queue.empty(), str(queue.get_nowait())

    def forgets(self) -> None:
        """Drop what came."""
        for queue in (self.messages, self.presences, self.pushes):
            while not queue.empty():
                queue.get_nowait()

    async def leaves(self) -> None:
        """End the stream in good order."""
        if self.is_connected():
            await self.disconnect()
