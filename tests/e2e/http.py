"""A few lines of HTTP, as a scraper or a load balancer speaks it."""

import asyncio
from typing import NamedTuple

from .node import Place


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: str


async def get(place: Place, path: str) -> Answer:
    """Ask for a page."""
    reader, writer = await asyncio.open_connection(*place)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {place.address}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    status, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(status.split()[1]), headers, body)


async def metric(place: Place, name: str) -> float:
    """Return one number of `/metrics`; several time series of one name are added."""
    lines = (await get(place, "/metrics")).body.splitlines()
    found = [line.rpartition(" ")[2] for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
    assert found, f"there is no metric {name}"
    return sum(map(float, found))
