"""What the log counts. Plain numbers on the hot path: each is bumped once for a batch, not for a row."""

from bisect import bisect_left
from typing import Final

from ...core.metrics import Metrics, Tally, counter

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds by which commits are sorted."""

ROWS: Final = (2, 4, 8, 16, 32, 64, 128, 200)
"""Upper bounds by which batches are sorted."""

MORE: Final = "more"


class LogMetrics(Metrics):
    """What the log's writers have done since the start."""

    appended: int = counter("Rows appended.")
    repeated: int = counter("Rows that repeated an earlier one, and were not appended.")
    refused: int = counter("Appends that failed, whole messages.")
    batches: Tally = counter("Batches committed, by their rows: at most so many.", labels=("rows",))
    commits: Tally = counter("Batches committed, by the time that took: at most so many seconds.", labels=("seconds",))
    commit_seconds: float = counter("Seconds that committing batches took, from handing over to the answer.")
    sent_again: int = counter("Batches sent again, as a connection broke or a lock did not come free.")
    cursors: int = counter("Delivery cursors written.")
    purged: int = counter("Rows removed: delivered and in no archive, or too old.")

    def note_commit(self, rows: int, repeated: int, seconds: float) -> None:
        """Count a batch that was committed."""
        self.appended += rows - repeated
        self.repeated += repeated
        self.commit_seconds += seconds
        self.batches[_bound(ROWS, rows)] += 1
        self.commits[_bound(SECONDS, seconds)] += 1


def _bound(bounds: tuple[float, ...], value: float) -> str:
    place = bisect_left(bounds, value)
    return f"{bounds[place]:g}" if place < len(bounds) else MORE
