"""What the HTTP port shows."""

from xmppd.app.expose import expose, pages
from xmppd.core.metrics import CONTENT_TYPE, Exposition
from xmppd.transport.admission import Admission
from xmppd.transport.http import TEXT
from xmppd.transport.measures import TransportMetrics

from ..scenario.server import Server


def shown(server: Server, admission: Admission) -> dict[str, str]:
    """Return the values of all metrics by their names and labels."""
    exposition = Exposition("1.2.3")
    expose(exposition, server.node, [server.database], server.log, admission, TransportMetrics())
    lines = exposition.render().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_what_is_counted(server: Server) -> None:
    """Connections, sessions, what clients did, and what the databases did for it."""
    server.online("romeo@montague.example/orchard")
    server.online("romeo@montague.example/home")
    server.online("juliet@capulet.example/balcony")
    admission = Admission(10, 10)
    admission.enter("192.0.2.1")
    found = shown(server, admission)
    assert found["xmppd_connections_open"] == "1.0"
    assert found["xmppd_sessions"] == "3.0"
    assert found["xmppd_accounts_online"] == "2.0"
    assert found["xmppd_clients_logins_total"] == "3.0"
    assert found["xmppd_transport_handshake_failures_total"] == "0.0"
    assert any(name.startswith("xmppd_storage_transactions{") for name in found)
    assert any(name.startswith("xmppd_storage_seconds{") for name in found)


def test_what_the_log_does(server: Server) -> None:
    """What its writers have done, what is queued, and how far its readers are behind."""
    romeo = server.online("romeo@montague.example/orchard")
    server.account("juliet@capulet.example")
    romeo.sends("<message to='juliet@capulet.example' type='chat' id='m1'><body>hark</body></message>")
    server.run()
    found = shown(server, Admission(1, 1))
    assert found["xmppd_log_appended_total"] == "2.0"
    assert found["xmppd_log_repeated_total"] == "0.0"
    assert found["xmppd_log_queued"] == "0.0"
    assert found["xmppd_inboxes"] == "1.0"
    assert found["xmppd_inbox_waiting"] == "0.0"
    assert sum(float(value) for name, value in found.items() if name.startswith("xmppd_log_commits_total{")) >= 1
    assert sum(float(value) for name, value in found.items() if name.startswith("xmppd_log_batches_total{")) >= 1


def test_transactions_of_all_databases_are_added(server: Server) -> None:
    """A deployment with two shards has one number for each kind of transaction."""
    server.account("romeo@montague.example")
    exposition = Exposition("1")
    expose(exposition, server.node, [server.database, server.database], server.log, Admission(1, 1), TransportMetrics())
    lines = exposition.render().decode().splitlines()
    twice = {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in lines if "storage_transactions{" in line}
    for name, tally in server.database.tallies.by_name.items():
        assert twice[f'xmppd_storage_transactions{{transaction="{name}"}}'] == f"{2.0 * tally.count}"


def test_pages() -> None:
    """Metrics and life always, readiness as it is told."""
    served = pages(Exposition("1.2.3"), lambda: (503, TEXT, b"no"))
    assert set(served) == {"/metrics", "/health/live", "/health/ready"}
    status, kind, body = served["/metrics"]()
    assert (status, kind) == (200, CONTENT_TYPE)
    assert b'version="1.2.3"' in body
    assert served["/health/live"]()[0] == 200
    assert served["/health/ready"]() == (503, TEXT, b"no")
