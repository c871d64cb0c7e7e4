'''Modules: RFC 6121 and every XEP.

A module is one file, or a folder when it has tables. Its name is what the configuration calls it. From top to bottom
it holds the specification, what it declares, what it needs, its handlers, and the pure functions they rest on. This
one is whole; put it anywhere on the path and name it in ``[modules] load = ["xmppd_greeter"]``::

    """Greets whoever logs in."""

    from dataclasses import dataclass
    from typing import ClassVar

    from xmppd.config.schema import option
    from xmppd.core.events import SessionBound
    from xmppd.core.hooks import notice
    from xmppd.core.module import Module
    from xmppd.core.router import Router
    from xmppd.protocol.element import E
    from xmppd.protocol.jid import Jid
    from xmppd.protocol.stanza import Stanza

    @dataclass
    class Config:
        text: str = option("Welcome!", help="What to say.", live=True)

    @dataclass
    class Greeter(Module):
        """Says a word to every new session."""

        name: ClassVar = "greeter"

        router: Router  # a field is a need: the loader fills it by its type
        config: Config  # its own options, from [modules.greeter]

        @notice(SessionBound)
        async def greet(self, event: SessionBound) -> None:
            host = Jid.parse(event.session.account.domainpart)
            body = E("{jabber:client}body", self.config.text)
            await self.router.deliver(event.session, Stanza.build("message", body, to=event.session.jid, from_=host))

What a module can do:

* handle a **decision**: ``@on(InboundMessage, Phase.GUARD)``; return None to go on, a `Verdict` to settle it, raise a
  `StanzaError` to refuse it (see `xmppd.core.events` for the stanza's road). With ``children=Names(...)`` it is called
  for stanzas that have such a child only. Where every message passes a plain `def` is cheaper than an `async def`: it
  returns its verdict, or what is to be awaited for it;
* contribute to a **collection**: ``@collect(DiscoInfo)``; hear a **notice**: ``@notice(SessionEnded)``;
* answer an **IQ**: ``@iq("get", "{urn:xmpp:ping}ping", Target.HOST)``; return the payload or raise the error;
* bring an **administrative command**: ``@command("greeting set")``, which `xmppctl` and ad-hoc commands offer alike;
* keep a **note on a session**: ``ENABLED = SessionKey("carbons", False)``, then ``session[ENABLED]``;
* **offer** something to other modules: list the types in `offered` and return the objects from `offers`; the types are
  declared in the module's `api`, which is all that other modules may import of it;
* keep **rows**: tables and SQL live in the module's folder, over `xmppd.core.shards.Shards`; each schema change is a
  revision in `migrations/versions`.

A distribution of its own names its modules by entry points of the group ``xmppd.modules``.
'''
