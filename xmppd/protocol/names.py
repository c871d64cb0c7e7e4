"""Namespaces and qualified names that the core and many modules share.

Names are written as ``{namespace}localname`` everywhere. A namespace that one module alone uses stands in that module.
"""

from typing import Final

CLIENT: Final = "jabber:client"
SERVER: Final = "jabber:server"
STREAM: Final = "http://etherx.jabber.org/streams"
XML: Final = "http://www.w3.org/XML/1998/namespace"
TLS: Final = "urn:ietf:params:xml:ns:xmpp-tls"
SASL: Final = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND: Final = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION: Final = "urn:ietf:params:xml:ns:xmpp-session"
STANZA_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAM_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-streams"
SASL_CHANNEL_BINDING: Final = "urn:xmpp:sasl-cb:0"
STREAM_LIMITS: Final = "urn:xmpp:stream-limits:0"
ROSTER: Final = "jabber:iq:roster"
DATA_FORMS: Final = "jabber:x:data"
DISCO_INFO: Final = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS: Final = "http://jabber.org/protocol/disco#items"
DELAY: Final = "urn:xmpp:delay"
COMMANDS: Final = "http://jabber.org/protocol/commands"

MESSAGE: Final = f"{{{CLIENT}}}message"
PRESENCE: Final = f"{{{CLIENT}}}presence"
IQ: Final = f"{{{CLIENT}}}iq"
XML_LANG: Final = f"{{{XML}}}lang"

KINDS: Final = {MESSAGE: "message", PRESENCE: "presence", IQ: "iq"}
"""The three stanzas of a client's stream, by qualified name."""
