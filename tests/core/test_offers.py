"""Stream features are kept until what they depend on changes."""

from tests.scenario.server import Server
from xmppd.core.hooks import Hooks
from xmppd.core.offers import MOST, Offer, Offers

OFFER = Offer(b"<features/>", ("SCRAM-SHA-1",))
REGISTER = "{http://jabber.org/features/iq-register}register"


def test_kept_until_handlers_change() -> None:
    """What was kept is forgotten when modules come or go."""
    hooks = Hooks()
    offers = Offers(hooks)
    assert offers.get("a") is None
    assert offers.keep("a", OFFER) is OFFER
    assert offers.get("a") is OFFER
    hooks.bind("nobody", object())
    assert offers.get("a") is None


def test_bounded() -> None:
    """However many kinds of stream there are, memory is bounded."""
    offers = Offers(Hooks())
    for number in range(MOST + 1):
        offers.keep(number, OFFER)
    assert offers.get(0) is None
    assert offers.get(MOST) is OFFER


def test_features_follow_the_configuration(server: Server) -> None:
    """A reload that turns registration on shows in the next stream."""
    assert server.connection().opens("capulet.example").find(REGISTER) is None
    server.node.loader.loaded["register"].config.enabled = True  # type: ignore[attr-defined]
    server.node.clients.limits_changed()
    assert server.connection().opens("capulet.example").find(REGISTER) is not None


def test_features_follow_the_modules(server: Server) -> None:
    """A module that is unloaded offers nothing any more."""
    limits = "{urn:xmpp:stream-limits:0}limits"
    assert server.connection().opens("capulet.example").find(limits) is not None
    server.wait(server.node.loader.unload("stream_limits"))
    assert server.connection().opens("capulet.example").find(limits) is None


def test_features_differ_by_stream(server: Server) -> None:
    """Hosts, and clients with and without TLS, are not offered each other's features."""
    clear = server.connection(secure=False).opens("capulet.example")
    secure = server.connection().opens("capulet.example")
    assert clear.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is not None
    assert secure.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is None
    assert secure.find("{urn:ietf:params:xml:ns:xmpp-sasl}mechanisms") is not None
