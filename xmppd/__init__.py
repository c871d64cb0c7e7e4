"""xmppd: an XMPP server for every standard client and every standard server.

The rooms, from the vault to the front door; each imports only what stands above it:

* `xmppd.protocol`: XMPP as values and state machines; no I/O, no Twisted, no clock, no log;
* `xmppd.config`: typed options;
* `xmppd.core`: sessions, routing, hooks, IQs and the module system;
* `xmppd.transport`, `xmppd.storage`, `xmppd.cluster`, `xmppd.admin`: the wings, blind to each other;
* `xmppd.modules`: RFC 6121 and one XEP each;
* `xmppd.app` and `xmppd.cli`: the front door, which builds the house from the configuration.
"""

__version__ = "0.1.0"
