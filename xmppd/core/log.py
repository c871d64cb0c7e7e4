"""The log, as the code writes to it: a thin layer over `twisted.logger`.

Each file that has something to say makes one `Log` with the name of its area::

    log = Log("c2s")
    ...
    log.info("{jid} is connected from {address}", jid=session.jid, address=peer)
    if log.debug:
        log.debug("{jid} sent {count} stanzas in one turn", jid=session.jid, count=count)

`debug` is None while nobody listens, so mypy insists on the question before it: a filtered call still costs
microseconds, the question nanoseconds. Like Twisted's own log this one belongs to the process: areas and levels are the
same for all servers in it, and `xmppd.app.logs` decides what becomes of the events.

**Secrets are never logged.** The format is a constant; what varies comes as fields. A field whose name says that it is
a secret is blanked here, and so is the password in an address of a database. Nobody logs the bytes or the elements of
an authentication, under whatever name, nor the text of a message.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakSet

from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.python.failure import Failure

from ..config.quantities import Url

SECRETS: Final = frozenset({
    "authorization", "client_key", "client_proof", "cookie", "credentials", "initial_response", "passphrase",
    "password", "private_key", "proof", "salted_password", "secret", "server_key", "stored_key", "token",
})  # fmt: skip
"""Names of fields whose values are never logged."""

_logs: "WeakSet[Log]" = WeakSet()


class Levels:
    """From which level on each area is logged.

    :param general: the level of areas that have none of their own, and of no area above them.
    :param areas: levels by area; an area covers those below it, so "c2s" covers "c2s.sasl".
    """

    def __init__(self, general: str = "info", areas: Mapping[str, str] | None = None) -> None:
        self._general = LogLevel.levelWithName(general)
        self._areas = {area: LogLevel.levelWithName(level) for area, level in (areas or {}).items()}

    def of(self, area: str) -> Any:
        """Return the `LogLevel` of an area."""
        while area:
            if (level := self._areas.get(area)) is not None:
                return level
            area = area.rpartition(".")[0]
        return self._general


_levels: list[Levels] = [Levels()]  # one item: what `set_levels` was given last


def set_levels(levels: Levels) -> None:
    """Let every log of this process, present and future, follow `levels`."""
    _levels[0] = levels
    for log in tuple(_logs):
        log.follow(levels)


class Log:
    """The log of one area.

    :param area: what the configuration calls it, such as "c2s" or "storage.writer".
    :param observer: who is told instead of Twisted's publisher, for tests.
    :ivar debug: how to log details; None, so to be asked for first, while the area's level is higher.
    """

    __slots__ = ("__weakref__", "_level", "_logger", "area", "debug")

    def __init__(self, area: str, observer: ILogObserver | None = None) -> None:
        self.area = area
        self.debug: Callable[..., None] | None = None
        self._logger = Logger(namespace=area, observer=observer)
        self.follow(_levels[0])
        _logs.add(self)

    def follow(self, levels: Levels) -> None:
        """Take the level that this area has now."""
        self._level = levels.of(self.area)
        self.debug = self._debug if self._level <= LogLevel.debug else None

    def info(self, format: str, **fields: Any) -> None:
        """Log what an operator may want to know."""
        self._emit(LogLevel.info, format, fields)

    def warn(self, format: str, **fields: Any) -> None:
        """Log what an operator should look at some time."""
        self._emit(LogLevel.warn, format, fields)

    def error(self, format: str, **fields: Any) -> None:
        """Log what does not work now, for a reason that is known."""
        self._emit(LogLevel.error, format, fields)

    def critical(self, format: str, **fields: Any) -> None:
        """Log what keeps the server from working at all."""
        self._emit(LogLevel.critical, format, fields)

    def failure(self, format: str, error: BaseException | None = None, **fields: Any) -> None:
        """Log a fault of our own with its traceback.

        :param error: what was raised; the exception that is being handled if not given.
        """
        self._emit(LogLevel.error, format, {**fields, "log_failure": _failure(error)})

    def _debug(self, format: str, **fields: Any) -> None:
        self._emit(LogLevel.debug, format, fields)

    def _emit(self, level: Any, format: str, fields: dict[str, Any]) -> None:
        if level >= self._level:
            self._logger.emit(level, format, **{name: _harmless(name, value) for name, value in fields.items()})


def _failure(error: BaseException | None) -> Failure:
    if error is None:
        return Failure()  # type: ignore[no-untyped-call]
    if isinstance(error, Failure):  # first, as it is a BaseException itself
        return error
    return Failure(error, type(error), error.__traceback__)  # type: ignore[no-untyped-call]


def _harmless(name: str, value: Any) -> Any:
    """Return what may be logged of a field."""
    if name in SECRETS:
        return "***"
    return value.without_secrets() if isinstance(value, Url) else value
