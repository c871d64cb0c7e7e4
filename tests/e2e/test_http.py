"""What operators and load balancers ask the HTTP port."""

import pytest

from .cast import Cast
from .deployment import Deployment
from .http import get, metric


async def test_health(deployment: Deployment) -> None:
    """It lives, and it is ready."""
    place = deployment.place("http")
    assert (await get(place, "/health/live")).status == 200
    assert (await get(place, "/health/ready")).status == 200


async def test_metrics(cast: Cast) -> None:
    """OpenMetrics, of the process and of what clients do; a login and a message count."""
    place = cast.deployment.place("http")
    answer = await get(place, "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.body.endswith("# EOF\n")

    logins = await metric(place, "xmppd_clients_logins_total")
    stanzas = await metric(place, "xmppd_clients_stanzas_received_total")
    romeo = await cast.online("romeo")
    await romeo.barrier()
    assert await metric(place, "xmppd_clients_logins_total") == logins + 1
    assert await metric(place, "xmppd_clients_stanzas_received_total") > stanzas
    assert await metric(place, "xmppd_sessions") >= 1
    assert await metric(place, "xmppd_storage_transactions") > 0
    assert await metric(place, "process_resident_memory_bytes") > 0


@pytest.mark.parametrize("path", ["/", "/metrics/", "/health", "/../../etc/passwd", "/xmppd.toml"])
async def test_nothing_else_is_served(deployment: Deployment, path: str) -> None:
    """No page tells more than it must, whatever is asked for."""
    answer = await get(deployment.place("http"), path)
    assert answer.status == 404
    assert answer.headers["x-content-type-options"] == "nosniff"
