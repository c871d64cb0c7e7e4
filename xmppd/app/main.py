"""The command `xmppd`: read the configuration, start the reactor, serve until told to stop."""

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import xmppd

from ..config.load import load, locate
from ..config.problems import ConfigError
from ..config.server import Config
from ..core.log import Log
from .data_folder import DataFolder
from .marks import Marks
from .start_error import StartError

if TYPE_CHECKING:
    from .first_run import FirstRun, NewAccount
    from .server import Server

log = Log("server")
YOUNG: Final = 20_000  # allocations between two looks of the collector at the youngest objects
FAILED: Final = 1
ANEW: Final = -1  # in place of an exit code: everything has ended in good order, to begin anew
HERE: Final = Path("var")
UNNAMED: Final = Path()  # stands for a first run in a folder that was not named


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server; return the exit code: 0 if it was told to stop, 1 if it could not start."""
    options = _options(arguments)
    try:
        folder = _folder_to_fill(options, os.environ)
        run = None if folder is None else _first_run(folder)
        file = locate(options.config, os.environ) if run is None else run.config
        code = _serve(file, run)
        if code == ANEW:
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # ourselves, as we were
        return code
    except (ConfigError, StartError) as error:
        return _complain(str(error))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="xmppd", description="An XMPP server.")
    parser.add_argument("--version", action="version", version=f"xmppd {xmppd.__version__}")
    parser.add_argument("--config", metavar="FILE", help="the configuration file (or set XMPPD_CONFIG)")
    parser.add_argument(
        "--first-run",
        metavar="FOLDER",
        nargs="?",
        const=UNNAMED,
        type=Path,
        help="serve from FOLDER; fill it first if it is empty: configuration, certificate, two accounts. Without one: "
        "serve from the configuration that is named otherwise, or if none is, from var",
    )
    options = parser.parse_args(arguments)
    if options.config and options.first_run not in (None, UNNAMED):
        parser.error("--config and a folder for the first run name two configurations: name one")
    return options


def _folder_to_fill(options: argparse.Namespace, environment: Mapping[str, str]) -> Path | None:
    """Return the folder of a first run; None if a configuration is there to be served."""
    folder: Path | None = options.first_run
    if folder == UNNAMED:
        return None if options.config or environment.get("XMPPD_CONFIG") else HERE
    return folder


def _complain(text: str) -> int:
    with suppress(OSError):  # if nobody can be told, the exit code must do
        for line in text.splitlines():
            print(f"xmppd: {line}", file=sys.stderr, flush=True)  # noqa: T201  # the log is not open yet
    return FAILED


def _first_run(folder: Path) -> "FirstRun":
    from twisted.internet.task import Clock

    from ..transport.self_signed import make_self_signed
    from .first_run import fill

    now = Clock()
    now.advance(time.time())  # the reactor is not there yet

    return fill(folder.absolute(), lambda host, certificate, key: make_self_signed(host, certificate, key, now))


def read(file: Path) -> Config:
    """Return the configuration in `file`, checked against the modules that are installed."""
    from ..core.discovery import LoadError
    from .node import module_configs

    def known(extra: list[str]) -> dict[str, type | None]:
        try:
            return module_configs(extra)
        except LoadError as error:
            raise LookupError(str(error)) from error

    return load(file, known)


def _serve(file: Path, run: "FirstRun | None") -> int:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    config = read(file)
    data = DataFolder(config.server.data_folder)
    data.open()
    try:
        return _serve_from(data, config, file, run)
    finally:
        data.close()


def _serve_from(data: DataFolder, config: Config, file: Path, run: "FirstRun | None") -> int:
    from .log_file import LogUnavailable
    from .logs import Logs

    marks = Marks(config.server.pid_file, config.server.ready_file)
    marks.running()
    try:
        logs = Logs(config.log)
    except LogUnavailable as error:
        marks.gone()
        return _complain(str(error))
    from ..transport.reactor import install

    reactor, loop = install()
    logs.begin()
    from .server import Server

    server = Server(config, file, data, reactor, loop, lambda: read(file), lambda: logs.reload(config.log))
    return _Process(server, reactor, marks, run).run()


class _Process:
    """The life of the process: start, serve, stop."""

    def __init__(self, server: "Server", reactor: Any, marks: Marks, run: "FirstRun | None") -> None:
        self._server = server
        self._reactor = reactor
        self._marks = marks
        self._run = run
        self._code = 0
        self._stopping = False

    def run(self) -> int:
        """Return the exit code when the reactor has stopped, or `ANEW`."""
        from twisted.internet.defer import Deferred

        self._reactor.callWhenRunning(lambda: Deferred.fromCoroutine(self._start()))
        self._reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(self._stop()))
        self._reactor.run()
        return ANEW if self._server.begins_anew and not self._code else self._code

    async def _start(self) -> None:
        try:
            await self._server.start()
            made = await self._make_accounts()
            self._announce(made)
        except StartError as error:
            if self._server.config.log.file is not None:
                log.error("the server cannot start: {error}", error=str(error), log_told=True)
            self._fail(str(error))
        except Exception as error:
            if self._stopping:  # it was told to stop while it was starting: whatever it waited for is gone
                return
            log.failure("the server cannot start", error, log_told=self._server.config.log.file is not None)
            self._fail(f"the server cannot start: {type(error).__name__}: {error}: the log says more")

    def _fail(self, reason: str) -> None:
        self._code = _complain(reason)
        if not self._stopping:
            self._reactor.stop()

    async def _make_accounts(self) -> "list[NewAccount]":
        """Make the accounts of a first run, or make good what an interrupted one has left."""
        from ..core.accounts import AccountExists
        from ..core.credentials import derive_all
        from ..protocol.jid import Jid

        accounts, made = self._server.node.accounts, []  # type: ignore[union-attr]  # it is there when it has started
        for account in self._run.accounts if self._run is not None else ():
            jid = Jid.parse(account.jid)
            credentials = await self._server.in_thread(derive_all, account.password)
            try:
                await accounts.create(jid, credentials, account.role)
            except AccountExists:  # the run that made it never told its password
                await accounts.set_credentials(jid, credentials)
            made.append(account)
        return made

    def _announce(self, made: "list[NewAccount]") -> None:
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._server.hang_up))
        gc.collect()
        gc.freeze()  # what is there now stays: no need to look at it again and again
        gc.set_threshold(YOUNG, 20, 50)
        self._marks.ready()
        if self._run is not None:
            self._welcome(self._run, made)

    def _welcome(self, run: "FirstRun", made: "list[NewAccount]") -> None:
        """Tell the newcomer how to log in. Only then are the accounts done: a password nobody was told is of no use."""
        from .first_run import finish
        from .welcome import welcome

        print(welcome(self._server.config, run, made), flush=True)  # noqa: T201
        finish(run.config.parent)

    async def _stop(self) -> None:
        self._stopping = True
        self._marks.not_ready()
        if not self._code:
            log.info("the server is being stopped")
        try:
            await self._server.stop()
        except Exception as error:
            log.failure("stopping failed", error)
            self._code = self._code or FAILED
        self._marks.gone()
        if not self._code:
            log.info("the server has stopped")


if __name__ == "__main__":
    sys.exit(main())
