"""What becomes of the log's events: filtered by area, written as lines, to a file that can be rotated.

Who looks at the terminal while the log goes to a file is shown what they should not miss (`log.terminal`).
"""

import logging
from collections.abc import Callable
from typing import Any, Final

from twisted.logger import LogEvent, Logger, LogLevel, globalLogBeginner
from twisted.python.failure import Failure

from ..config.server import Level, LogFormat
from ..config.server import Log as LogConfig
from ..core.log import Levels, Log, set_levels
from .log_file import LogFile, LogUnavailable
from .log_lines import json_line, text_line

CHATTER: Final = ("log_legacy", "twisted")
"""Areas in which Twisted tells what we tell ourselves: ports that open and close, signals that come."""

TOLD: Final = "log_told"
"""The field of an event whose reason the terminal has been told already, in other words."""

_LINES: Final[dict[LogFormat, Callable[[LogEvent], str]]] = {LogFormat.TEXT: text_line, LogFormat.JSON: json_line}
log = Log("log")


class Logs:
    """The one observer of a running server; also a filter for what Twisted and other libraries log.

    :param config: the section `[log]`.
    :raises LogUnavailable: the file cannot be opened.
    """

    def __init__(self, config: LogConfig) -> None:
        self._file = LogFile(config.file)
        self._terminal = LogFile(None)
        self._follow(config)

    def begin(
        self,
        begin_logging: Callable[..., None] = globalLogBeginner.beginLoggingTo,
        libraries: logging.Logger | None = None,
    ) -> None:
        """Take over the log of the process: Twisted's, and that of libraries which use the standard library's.

        Libraries only warn, whatever the level is: the details of some, of SQLAlchemy say, are what users wrote.

        :param libraries: the standard library's logger to listen to, the root of all if None.
        """
        begin_logging([self], redirectStandardIO=False)
        root = libraries or logging.getLogger()
        root.handlers[:] = [_FromLibraries()]
        root.setLevel(logging.WARNING)

    def __call__(self, event: LogEvent) -> None:
        """Write an event, unless its area is not logged that closely."""
        level = event.get("log_level") or LogLevel.info
        if level >= self._levels.of(event.get("log_namespace") or ""):
            self._file.write(self._line(event))
            if self._shown is not None and level >= self._shown and not event.get(TOLD):
                self._terminal.write(text_line(event))  # without a traceback: the file has that

    def reload(self, config: LogConfig) -> None:
        """Take new levels, another format and another file, and open the file again."""
        self._follow(config)
        if config.file == self._file.path:
            self.reopen()
            return
        try:
            fresh = LogFile(config.file)
        except LogUnavailable as error:
            log.error("{reason}; the old one is kept", reason=error)
            return
        self._file.close()
        self._file = fresh

    def reopen(self) -> None:
        """Open the file again, after it was rotated; if that fails the old one is kept and told so."""
        try:
            self._file.reopen()
        except LogUnavailable as error:
            log.error("{reason}; the old one is kept", reason=error)

    def _follow(self, config: LogConfig) -> None:
        self._levels = Levels(config.level, _quiet(config.level) | config.areas)
        self._line = _LINES[config.format]
        has_file = config.file is not None
        self._shown = LogLevel.levelWithName(config.terminal) if has_file and config.terminal else None
        set_levels(self._levels)


def _quiet(general: Level) -> dict[str, Level]:
    """Return the levels of `CHATTER`: warnings, unless not even those are wanted."""
    return dict.fromkeys(CHATTER, max(general, Level.WARN, key=list(Level).index))


class _FromLibraries(logging.Handler):
    """Passes on what libraries log by the standard library: asyncio's callbacks that failed, say."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record in the area of its logger."""
        level = LogLevel.error if record.levelno >= logging.ERROR else LogLevel.warn
        fields: dict[str, Any] = {"text": record.getMessage()}
        if record.exc_info and record.exc_info[1]:
            fields["log_failure"] = Failure(record.exc_info[1], record.exc_info[0], record.exc_info[2])  # type: ignore[no-untyped-call]
        Logger(namespace=record.name).emit(level, "{text}", **fields)
