"""What the loopback HTTP port shows: metrics, and whether the server lives and is ready."""

from collections.abc import Mapping, Sequence

from ..core.metrics import CONTENT_TYPE, Exposition
from ..storage.database import Database
from ..storage.message_log.log import SqlMessageLog
from ..transport.admission import Admission
from ..transport.http import TEXT, Page
from ..transport.measures import TransportMetrics
from .node import Node


def expose(
    exposition: Exposition,
    node: Node,
    databases: Sequence[Database],
    log: SqlMessageLog,
    admission: Admission,
    transport: TransportMetrics,
) -> None:
    """Register everything that this process counts."""
    counters = node.clients.counters
    exposition.register("transport", transport)
    exposition.gauge("connections_open", "Connections that are open.", lambda: admission.open)
    exposition.gauge("sessions", "Resources connected to this process.", lambda: len(node.sessions))
    exposition.gauge("accounts_online", "Accounts with a session on this process.", node.sessions.accounts)
    exposition.register("clients", counters)
    management = node.clients.management
    exposition.register("stream_management", management.counters)
    exposition.gauge("stream_management_unacknowledged", "Stanzas not acknowledged by clients.", management.depth)
    inboxes = node.router.inboxes
    exposition.register("log", log.metrics)
    exposition.gauge("log_queued", "Rows that wait to be stored.", lambda: log.queued)
    exposition.gauge("inboxes", "Accounts whose log is read by sessions of this process.", lambda: len(inboxes))
    exposition.gauge("inbox_waiting", "Rows that these accounts wait for, behind their cursors.", inboxes.waiting)
    exposition.gauge(
        "storage_transactions",
        "Transactions by name since the start.",
        lambda: _by_name(databases, "count"),
        labels=("transaction",),
    )
    exposition.gauge(
        "storage_seconds",
        "Seconds spent in transactions by name since the start.",
        lambda: _by_name(databases, "seconds"),
        labels=("transaction",),
    )


def _by_name(databases: Sequence[Database], what: str) -> dict[str | tuple[str, ...], float]:
    found: dict[str | tuple[str, ...], float] = {}
    for database in databases:
        for name, tally in database.tallies.by_name.items():
            found[name] = found.get(name, 0) + getattr(tally, what)
    return found


def pages(exposition: Exposition, ready: Page) -> Mapping[str, Page]:
    """Return what is served at which path.

    :param ready: answers whether the server is ready (see `readiness`).
    """

    def metrics() -> tuple[int, str, bytes]:
        return 200, CONTENT_TYPE, exposition.render()

    def live() -> tuple[int, str, bytes]:
        return 200, TEXT, b"alive\n"

    return {"/metrics": metrics, "/health/live": live, "/health/ready": ready}
