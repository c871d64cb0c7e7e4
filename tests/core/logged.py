"""What was logged, as lines."""

from collections.abc import Iterable
from typing import Any

from twisted.logger import formatEvent


def lines(events: Iterable[dict[str, Any]]) -> list[str]:
    """Return the text of each event, without its traceback."""
    return [formatEvent(event) for event in events]
