"""What client streams share follows the limits that are in force."""

import pytest

from tests.scenario.server import Server
from xmppd.config.quantities import Size
from xmppd.core.client_context import ClientMetrics
from xmppd.core.offers import Offer
from xmppd.protocol.errors import StreamError

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"


def test_little_is_read_before_a_session(server: Server) -> None:
    """Architecture rule 9: whoever has not logged in gets small limits, of bytes and of elements."""
    clients = server.node.clients
    message = HEADER + b"<message><body>%s</body></message>"
    large, many = b"x" * (clients.limits.stanza_before_login + 1), b"<a/>" * 65
    for content in (large, many):
        clients.parsers.take().feed(message % content)
        with pytest.raises(StreamError, match="policy-violation"):
            clients.early.take().feed(message % content)


def test_new_limits(server: Server) -> None:
    """Limits that change hold for parsers that are taken afterwards; features that name them are made anew."""
    clients = server.node.clients
    clients.offers.keep("a stream", Offer(b"its features", ()))
    clients.limits.stanza = Size("10 kB")
    clients.limits_changed()
    assert clients.offers.get("a stream") is None
    for pool in (clients.parsers, clients.early):
        with pytest.raises(StreamError, match="policy-violation: an element may have at most 10000 bytes"):
            pool.take().feed(HEADER + b"<message>%s</message>" % (b"x" * 20_000))


def test_counters_are_described() -> None:
    """Each counter says in a sentence what it counts."""
    assert all(declaration.help.endswith(".") for declaration in ClientMetrics.declared().values())
