"""The command `xmppd`: read the configuration, start the reactor, serve until told to stop."""

import argparse
import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import xmppd

from ..config.load import load, locate
from ..config.problems import ConfigError
from ..config.server import Config
from ..core.log import Log

if TYPE_CHECKING:
    from .first_run import FirstRun, NewAccount
    from .server import Server

log = Log("server")
YOUNG: Final = 20_000  # allocations between two looks of the collector at the youngest objects
FAILED: Final = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server; return the exit code: 0 if it was told to stop, 1 if it could not start."""
    options = _parser().parse_args(arguments)
    try:
        run = _first_run(options.first_run) if options.first_run is not None else None
        file = run.config if run is not None else locate(options.config, os.environ)
        return _serve(file, run)
    except ConfigError as error:
        return _complain(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="xmppd", description="An XMPP server.")
    parser.add_argument("--version", action="version", version=f"xmppd {xmppd.__version__}")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--config", metavar="FILE", help="the configuration file (or set XMPPD_CONFIG)")
    which.add_argument(
        "--first-run",
        metavar="FOLDER",
        nargs="?",
        const=Path("var"),
        type=Path,
        help="serve from FOLDER (default: var); fill it first if it is empty: configuration, certificate, two accounts",
    )
    return parser


def _complain(text: str) -> int:
    for line in text.splitlines():
        print(f"xmppd: {line}", file=sys.stderr)  # noqa: T201  # the log is not open yet
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
    from ..core.loader import LoadError
    from .node import module_configs

    def known(extra: list[str]) -> dict[str, type | None]:
        try:
            return module_configs(extra)
        except LoadError as error:
            raise LookupError(str(error)) from error

    return load(file, known)


def _serve(file: Path, run: "FirstRun | None") -> int:
    config = read(file)
    from .log_file import LogUnavailable
    from .logs import Logs

    try:
        _prepare_data(config.server.data_folder)
        logs = Logs(config.log)
    except LogUnavailable as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}: let the user that runs the server write there")
    from ..transport.reactor import install

    reactor, loop = install()
    logs.begin()
    from .server import Server

    server = Server(config, file, reactor, loop, lambda: read(file), lambda: logs.reload(config.log))
    return _Process(server, reactor, run).run()


def _prepare_data(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(folder))


class _Process:
    """The life of the process: start, serve, stop."""

    def __init__(self, server: "Server", reactor: Any, run: "FirstRun | None") -> None:
        self._server = server
        self._reactor = reactor
        self._run = run
        self._code = 0

    def run(self) -> int:
        """Return the exit code when the reactor has stopped."""
        from twisted.internet.defer import Deferred

        self._reactor.callWhenRunning(lambda: Deferred.fromCoroutine(self._start()))
        self._reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(self._stop()))
        self._reactor.run()
        return self._code

    async def _start(self) -> None:
        from .server import StartError

        try:
            await self._server.start()
            made = await self._make_accounts()
            self._announce(made)
        except StartError as error:
            self._code = _complain(str(error))
        except Exception as error:
            log.failure("the server cannot start", error)
            self._code = _complain(f"the server cannot start: {error}")
        if self._code:
            self._reactor.stop()

    async def _make_accounts(self) -> "list[NewAccount]":
        """Make the accounts of a first run."""
        from ..core.accounts import AccountExists
        from ..core.credentials import derive_all
        from ..protocol.jid import Jid
        from .first_run import finish

        made = []
        for account in self._run.accounts if self._run is not None else ():
            credentials = await self._server.in_thread(derive_all, account.password)
            try:
                await self._server.node.accounts.create(Jid.parse(account.jid), credentials, account.role)
            except AccountExists:
                continue
            made.append(account)
        if self._run is not None:
            finish(self._run.config.parent)
        return made

    def _announce(self, made: "list[NewAccount]") -> None:
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._server.hang_up))
        gc.collect()
        gc.freeze()  # what is there now stays: no need to look at it again and again
        gc.set_threshold(YOUNG, 20, 50)
        folder = self._server.config.server
        if folder.pid_file is not None:
            folder.pid_file.write_text(f"{os.getpid()}\n")
        if folder.ready_file is not None:
            folder.ready_file.touch()
        if self._run is not None:
            from .welcome import welcome

            print(welcome(self._server.config, self._run, made), flush=True)  # noqa: T201  # for the newcomer

    async def _stop(self) -> None:
        folder = self._server.config.server
        for file in (folder.ready_file, folder.pid_file):
            if file is not None:
                file.unlink(missing_ok=True)
        try:
            await self._server.stop()
        except Exception as error:
            log.failure("stopping failed", error)
            self._code = self._code or FAILED


if __name__ == "__main__":
    sys.exit(main())
