"""What transactions cost, by name. Plain numbers: a metrics collector reads them, nothing is formatted on the way."""

from dataclasses import dataclass

from ..core.log import Log

log = Log("storage")


@dataclass(slots=True)
class Tally:
    """All transactions of one name.

    :ivar failed: how many of `count` raised.
    :ivar seconds: time in storage threads; jobs that were committed together share it equally.
    :ivar waited: time in the queue, in seconds.
    """

    count: int = 0
    failed: int = 0
    seconds: float = 0.0
    waited: float = 0.0


class Tallies:
    """The tallies of one database. Used from the loop's thread only.

    :param place: how logs call the database.
    :param slow: transactions that take longer than this are logged; in seconds.
    """

    def __init__(self, place: str, slow: float) -> None:
        self.by_name: dict[str, Tally] = {}
        self._place = place
        self._slow = slow

    def note(self, name: str, seconds: float, waited: float, failed: bool) -> None:
        """Count one transaction."""
        tally = self.by_name.get(name)
        if tally is None:
            tally = self.by_name[name] = Tally()
        tally.count += 1
        tally.seconds += seconds
        tally.waited += waited
        tally.failed += failed
        if seconds >= self._slow:
            log.warn("{place}: {name} took {seconds:.3f} s", place=self._place, name=name, seconds=seconds)
