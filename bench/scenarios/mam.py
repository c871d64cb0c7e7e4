"""An archive, read from its beginning to its end, page by page (XEP-0313)."""

import re
import statistics
import time
from typing import Any

from ..connection import Connection
from ..dialogue import NegotiationError, Script
from ..job import Job
from ..meter import Usage
from ..negotiation import iq_answer, is_result
from ..stage import Stage
from ..stanzas import archive_query
from .messages import Flow
from .names import archivists

END_OF_RESULT = b"</result>"
LAST = re.compile(rb"<last>([^<]+)</last>")
COMPLETE = re.compile(rb"\bcomplete=[\"'](?:true|1)[\"']")
FILLING = 50  # messages in flight while the archive is filled
PATIENCE = 60.0  # seconds for the next message to come
WARMING = 2  # pages


class Reading:
    """Asks for pages of one's own archive, and counts what comes.

    :ivar results: how many messages have come.
    :ivar waits: how long each page took, in seconds.
    """

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self.results = 0
        self.waits: list[float] = []

    def pages(self, limit: int | None = None) -> Script:
        """Read from the beginning to the end, or so many pages."""
        after, asked = b"", 0
        while limit is None or asked < limit:
            ident, begin = b"page-%d" % len(self.waits), time.monotonic()
            self._connection.send(archive_query(ident, self._size, after))
            answer = yield iq_answer(ident)
            self.waits.append(time.monotonic() - begin)
            asked += 1
            last = self._take(answer)
            if not last:
                return
            after = last

    def _take(self, answer: re.Match[bytes]) -> bytes:
        """Count the results before the answer; return the id of the last if there are more."""
        iq = answer.group()
        if not is_result(iq):
            raise NegotiationError(f"the archive was not shown: {iq[:300]!r}")
        self.results += answer.string.count(END_OF_RESULT, 0, answer.start())
        last = LAST.search(iq)
        return b"" if last is None or COMPLETE.search(iq) else last[1]


def fill(stage: Stage, job: Job, flow: Flow) -> None:
    """Send `job.messages` from one to the other, so many in flight."""
    flow.flowing = False  # what leaves is counted here
    while (arrived := flow.arrived.total) < job.messages:
        flow.push(min(FILLING - (flow.sent - arrived), job.messages - flow.sent))
        if not stage.loop.until(lambda seen=arrived: flow.arrived.total > seen, PATIENCE):  # type: ignore[misc]
            raise NegotiationError(f"{arrived} of {flow.sent} messages arrived")


def read(stage: Stage, job: Job, owner: Connection) -> tuple[Reading, int, Usage]:
    """Read an archive over and over for `job.seconds`, once at least; return also how often, and what it cost."""
    stage.converse(owner, Reading(owner, job.page).pages(WARMING))
    stage.calm()
    reading, times, before = Reading(owner, job.page), 0, stage.meter.read()
    while not times or time.monotonic() < before.at + job.seconds:
        stage.converse(owner, reading.pages())
        times += 1
    return reading, times, before.until(stage.meter.read())


def mam(stage: Stage, job: Job) -> dict[str, Any]:
    """Fill an archive, then read it `job.page` at a time."""
    writer, recipient = stage.bring(archivists(job.away))
    empty = stage.meter.read()
    fill(stage, job, Flow(writer, stage.target.address(recipient.name), recipient))
    stage.calm()
    filling = empty.until(stage.meter.read())
    reading, times, usage = read(stage, job, writer)
    stage.unharmed()
    stage.dismiss([writer, recipient])
    if not reading.results:
        raise NegotiationError("the archive is empty")
    return {
        **usage.figures(),
        "unit": "result",
        "units": reading.results,
        "lost": times * job.messages - reading.results,
        **usage.cost(reading.results),
        "fill_us": filling.per_unit(job.messages),
        "page_p50_ms": statistics.median(reading.waits) * 1e3,
        "per_s": reading.results / usage.wall,
    }
