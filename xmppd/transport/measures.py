"""What the transport counts."""

from ..core.metrics import Metrics, Tally, counter


class TransportMetrics(Metrics):
    """Connections and handshakes of all listeners."""

    accepted: Tally = counter("Connections accepted.", labels=("port",))
    refused: Tally = counter("Connections closed at once for a limit.", labels=("reason",))
    proxy_failures: int = counter("Connections closed for want of a PROXY protocol header.")
    handshakes: Tally = counter("TLS handshakes done.", labels=("version",))
    handshake_failures: int = counter("TLS handshakes that failed.")
