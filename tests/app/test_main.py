"""The command `xmppd`: its arguments, its complaints, the life of its process."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

import xmppd
from xmppd.app.first_run import FirstRun, NewAccount
from xmppd.app.main import ANEW, _Process, main, read
from xmppd.app.marks import Marks
from xmppd.app.start_error import StartError
from xmppd.config.problems import ConfigError
from xmppd.config.server import Config
from xmppd.core.accounts import Role
from xmppd.protocol.jid import Jid

from ..scenario.server import Server as Memory


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Signals are the process's: leave them as they were."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


class TestArguments:
    """What is typed."""

    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["--version"])
        assert ended.value.code == 0
        assert capsys.readouterr().out == f"xmppd {xmppd.__version__}\n"

    def test_one_or_the_other(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A configuration of one's own, or a first run in a folder that is named."""
        with pytest.raises(SystemExit) as ended:
            main(["--config", "xmppd.toml", "--first-run", "folder"])
        assert ended.value.code == 2

    @pytest.mark.parametrize("how", ["option", "variable"])
    def test_a_first_run_yields_to_a_configuration(
        self, how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`make run` says --first-run: a file that is named is served all the same, and nothing is filled."""
        file = tmp_path / "mine.toml"
        file.write_text("conections = 1\n")
        monkeypatch.chdir(tmp_path)
        if how == "variable":
            monkeypatch.setenv("XMPPD_CONFIG", str(file))
        assert main(["--first-run", *(["--config", str(file)] if how == "option" else [])]) == 1
        assert capsys.readouterr().err.startswith(f"xmppd: {file}: ")
        assert {path.name for path in tmp_path.iterdir()} == {"mine.toml"}

    def test_a_folder_that_is_named_wins_over_the_variable(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is typed counts more than what was set some time."""
        monkeypatch.setenv("XMPPD_CONFIG", str(tmp_path / "none.toml"))
        (tmp_path / "var").write_text("")
        assert main(["--first-run", str(tmp_path / "var")]) == 1
        assert "remove what is in the way" in capsys.readouterr().err

    def test_a_first_run_without_a_name(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It fills var."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("XMPPD_CONFIG", raising=False)
        (tmp_path / "var").write_text("")
        assert main(["--first-run"]) == 1
        assert f"{tmp_path}/var: cannot be filled" in capsys.readouterr().err

    def test_no_configuration(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XMPPD_CONFIG", raising=False)
        assert main([]) == 1
        assert capsys.readouterr().err == (
            "xmppd: xmppd: no configuration: name it with --config FILE or in XMPPD_CONFIG\n"
        )

    def test_every_mistake_has_a_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Two mistakes, two lines; nothing is opened."""
        file = tmp_path / "xmppd.toml"
        file.write_text('[hosts."capulet.example"]\n[limits]\nconections = 1\n')
        assert main(["--config", str(file)]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 2
        assert all(line.startswith(f"xmppd: {file}: ") for line in lines)
        assert {path.name for path in tmp_path.iterdir()} == {"xmppd.toml"}

    def test_a_first_run_into_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "var").write_text("")
        assert main(["--first-run", str(tmp_path / "var")]) == 1
        assert "remove what is in the way" in capsys.readouterr().err


def test_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process becomes one that was started with the same words."""
    became: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("xmppd.app.main._serve", lambda file, run: ANEW)
    monkeypatch.setattr(os, "execv", lambda program, words: became.append((program, words)))
    main(["--config", "xmppd.toml"])
    assert became == [(sys.executable, [sys.executable, *sys.orig_argv[1:]])]


def test_modules_that_cannot_be_imported(tmp_path: Path) -> None:
    """A mistake of the configuration, as others are."""
    file = tmp_path / "xmppd.toml"
    file.write_text('[hosts.localhost]\n[modules]\nload = ["nowhere.to.be.found"]\n')
    with pytest.raises(ConfigError, match=r"modules\.load.*nowhere"):
        read(file)


class Life:
    """A process whose reactor is driven by hand, and whose server is in memory."""

    def __init__(self, folder: Path) -> None:
        self.config = Config()
        self.config.log.file = folder / "xmppd.log"
        self.memory = Memory(hosts=("localhost",))
        self.node = self.memory.node
        self.trouble: Exception | None = None
        self.running: list[Any] = []
        self.stopping: list[Any] = []
        self.told_to_stop = 0
        self.begins_anew = False
        self.in_thread = self.node.in_thread
        self.waits: Deferred[None] | None = None

    # The reactor

    def callWhenRunning(self, call: Any) -> None:
        self.running.append(call)

    def addSystemEventTrigger(self, phase: str, event: str, call: Any) -> None:
        assert (phase, event) == ("before", "shutdown")
        self.stopping.append(call)

    def run(self) -> None:
        for call in self.running:
            call()
        self.memory.run()
        for call in self.stopping:
            call()

    def callFromThread(self, call: Any) -> None:
        call()

    # The server

    async def start(self) -> None:
        if self.waits is not None:
            await self.waits
        if self.trouble is not None:
            raise self.trouble

    def hang_up(self) -> None:
        self.config.server.name = "told to reload"

    async def stop(self) -> None:
        self.told_to_stop += 1
        if self.waits is not None:
            self.waits.callback(None)


class Reactor:
    """The reactor's face of a `Life`: its `stop` is not the server's."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.stopped = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._life, name)

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def lives(life: Life, folder: Path, run: FirstRun | None = None) -> tuple[int, Reactor]:
    """Live from start to stop; return the exit code and the reactor."""
    reactor = Reactor(life)
    process = _Process(life, reactor, Marks(folder / "pid", folder / "ready"), run)  # type: ignore[arg-type]
    return process.run(), reactor


class TestLife:
    """Start, serve, stop."""

    def test_all_is_well(self, life: Life, tmp_path: Path) -> None:
        """It is ready when it has started, ends with 0, and its marks are gone."""
        ready: list[bool] = []
        life.stopping.append(lambda: ready.append((tmp_path / "ready").exists()))
        code, reactor = lives(life, tmp_path)
        assert (code, reactor.stopped, life.told_to_stop) == (0, 0, 1)
        assert ready == [True]
        assert not (tmp_path / "ready").exists()

    def test_a_reason(self, life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """One line for the operator, one for the log's file; then it stops and ends with 1."""
        life.trouble = StartError("port 5222: in use: choose another")
        with capturedLogs() as events:
            code, reactor = lives(life, tmp_path)
        assert (code, reactor.stopped, life.told_to_stop) == (1, 1, 1)
        assert capsys.readouterr().err == "xmppd: port 5222: in use: choose another\n"
        assert [event["log_format"] for event in events] == ["the server cannot start: {error}"]

    def test_a_reason_is_not_told_twice(self, life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Where the log goes to standard error too, the one line is enough."""
        life.config.log.file = None
        life.trouble = StartError("no")
        with capturedLogs() as events:
            lives(life, tmp_path)
        assert events == []

    def test_a_fault_of_our_own(self, life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The line says where to read more; the log has the traceback."""
        life.trouble = ZeroDivisionError("oops")
        with capturedLogs() as events:
            code, _ = lives(life, tmp_path)
        assert code == 1
        assert capsys.readouterr().err == (
            "xmppd: the server cannot start: ZeroDivisionError: oops: the log says more\n"
        )
        assert [event["log_failure"].type for event in events] == [ZeroDivisionError]

    def test_told_to_stop_while_it_starts(self, life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What it was waiting for is gone then; nobody needs to hear of that."""
        life.waits = Deferred()
        life.trouble = RuntimeError("the database is closed")
        assert lives(life, tmp_path)[0] == 0
        assert capsys.readouterr().err == ""

    def test_begins_anew(self, life: Life, tmp_path: Path) -> None:
        """An administrator has asked for it: everything ends in good order first."""
        life.begins_anew = True
        code, _ = lives(life, tmp_path)
        assert (code, life.told_to_stop) == (ANEW, 1)
        assert not (tmp_path / "ready").exists()

    def test_stopping_fails(self, life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is logged, the marks are removed, and the exit code tells."""

        async def fail() -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(life, "stop", fail)
        with capturedLogs() as events:
            assert lives(life, tmp_path)[0] == 1
        assert any("log_failure" in event for event in events)
        assert not (tmp_path / "ready").exists()

    def test_hang_up(self, life: Life, tmp_path: Path) -> None:
        """SIGHUP reloads once there is something to reload."""
        lives(life, tmp_path)
        os.kill(os.getpid(), signal.SIGHUP)
        assert life.config.server.name == "told to reload"


class TestFirstRun:
    """The accounts of a newcomer."""

    @pytest.fixture
    def first(self, tmp_path: Path) -> FirstRun:
        (tmp_path / "first-run").touch()
        accounts = (
            NewAccount("admin@localhost", "bananas", Role.ADMIN),
            NewAccount("alice@localhost", "oranges!", Role.USER),
        )
        return FirstRun(tmp_path / "xmppd.toml", accounts)

    def told(self, capsys: pytest.CaptureFixture[str]) -> str:
        return capsys.readouterr().out

    def test_made_and_told(
        self, life: Life, tmp_path: Path, first: FirstRun, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An administrator and a user, who can log in with what was printed; then the first run is over."""
        assert lives(life, tmp_path, first)[0] == 0
        out = self.told(capsys)
        assert "bananas" in out
        assert "oranges!" in out
        account = life.memory.wait(life.node.accounts.get(Jid.parse("admin@localhost")))
        assert account.role is Role.ADMIN
        assert not (tmp_path / "first-run").exists()

    def test_made_good(self, life: Life, tmp_path: Path, first: FirstRun, capsys: pytest.CaptureFixture[str]) -> None:
        """An earlier run made an account and was interrupted before it told: the password that is told is the true one."""
        jid = life.memory.account("alice@localhost")
        before = life.memory.wait(life.node.accounts.credentials(jid))
        lives(life, tmp_path, first)
        assert "oranges!" in self.told(capsys)
        assert life.memory.wait(life.node.accounts.credentials(jid)) != before

    def test_not_over_before_it_was_told(
        self, life: Life, tmp_path: Path, first: FirstRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever could not read the passwords gets others by the next run."""

        class Closed(io.StringIO):
            def write(self, text: str) -> int:
                raise BrokenPipeError

        monkeypatch.setattr(sys, "stdout", Closed())
        assert lives(life, tmp_path, first)[0] == 1
        assert (tmp_path / "first-run").exists()

    def test_later(self, life: Life, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing is made, and no password is told."""
        lives(life, tmp_path, FirstRun(tmp_path / "xmppd.toml", ()))
        assert "The accounts are those of earlier runs" in self.told(capsys)
