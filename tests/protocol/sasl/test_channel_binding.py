"""Channel bindings: RFC 5929, RFC 9266, XEP-0440."""

from xmppd.protocol.element import E
from xmppd.protocol.sasl.channel_binding import feature

NS = "urn:xmpp:sasl-cb:0"


def test_feature_announces_the_strongest_first() -> None:
    """XEP-0440, Announcing the SASL Channel-Binding Type Capability."""
    assert feature({"tls-server-end-point": b"", "other": b"", "tls-exporter": b""}) == E(
        f"{{{NS}}}sasl-channel-binding",
        E(f"{{{NS}}}channel-binding", type="tls-exporter"),
        E(f"{{{NS}}}channel-binding", type="tls-server-end-point"),
        E(f"{{{NS}}}channel-binding", type="other"),
    )


def test_nothing_to_announce() -> None:
    """XEP-0440: the element holds one type at least."""
    assert feature({}) is None
