"""The hall: sessions, routing, hooks, IQs and the module system.

The core moves stanzas between streams, accounts, services and domains, and knows no specification but RFC 6120. What a
presence, a roster or a message to a bare JID means is said by modules, which the core calls through typed events (see
`events`). What the core needs from the wings (a transport, a database, a bus, a clock) it declares here as a
`typing.Protocol`; only `xmppd.app.server` knows both sides.
"""
