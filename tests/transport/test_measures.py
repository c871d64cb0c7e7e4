"""What the transport counts."""

from xmppd.core.metrics import Exposition
from xmppd.transport.measures import TransportMetrics


def test_all_is_exposed() -> None:
    """Every count appears under the transport's name, with its label."""
    metrics = TransportMetrics()
    metrics.accepted["5222"] += 1
    metrics.refused["too many connections"] += 1
    metrics.handshakes["TLSv1.3"] += 1
    exposition = Exposition("1")
    exposition.register("transport", metrics)
    text = exposition.render().decode()

    assert 'xmppd_transport_accepted_total{port="5222"} 1.0' in text
    assert 'xmppd_transport_refused_total{reason="too many connections"} 1.0' in text
    assert 'xmppd_transport_handshakes_total{version="TLSv1.3"} 1.0' in text
    assert "xmppd_transport_handshake_failures_total 0.0" in text
