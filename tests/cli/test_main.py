"""`xmppctl` as one types it."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from xmppd.cli import main as cli
from xmppd.cli.main import front_door, run
from xmppd.core.results import Exit
from xmppd.protocol.jid import Jid

from .running import Colour, Running

Xmppctl = Callable[..., tuple[int, str, str]]


@pytest.fixture
def xmppctl(server: Running, capsys: pytest.CaptureFixture[str]) -> Xmppctl:
    """Run a command line against the running server; return exit code, output and complaints."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["--socket", str(server.path), *words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


# What the command line offers


def test_help_of_a_running_server(server: Running) -> None:
    """Help shows the server's own commands, and groups them by their nouns."""
    text = CliRunner().invoke(front_door(), ["--socket", str(server.path), "--help"]).output
    assert "paint" in text
    assert "Paint something" in text
    assert "lock" in text
    assert "add, break" in text


def test_help_without_a_server() -> None:
    """Help works with the server down, without a configuration even."""
    text = CliRunner().invoke(front_door(), ["--help"]).output
    assert "account" in text
    assert "status" in text
    assert "130  interrupted" in text
    result = CliRunner().invoke(front_door(), ["account", "--help"])
    assert "Register an account" in result.output


def test_help_of_a_command(server: Running) -> None:
    """A command's help has its docstring, its arguments and its options with their defaults."""
    text = CliRunner().invoke(front_door(), ["--socket", str(server.path), "paint", "-h"]).output
    for part in ("WHAT", "Paint something.", "With a brush.", "[red|blue]", "[default: red]", "--shiny / --no-shiny"):
        assert part in text


def test_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command there is help."""
    assert run([]) == Exit.USAGE
    assert "Register an account" not in (shown := "".join(capsys.readouterr()))
    assert "account" in shown


@pytest.mark.parametrize("words", [["pain"], ["lock"], ["lock", "ad"], ["paint"], ["paint", "a", "b"], ["--what"]])
def test_wrong_usage(xmppctl: Xmppctl, words: list[str]) -> None:
    """What is no command, or not a whole one, ends with 2."""
    assert xmppctl(*words)[0] == Exit.USAGE


def test_wrong_value(xmppctl: Xmppctl) -> None:
    """A value that does not fit is told by the server, and ends with 2."""
    code, _, err = xmppctl("paint", "fence", "--coats", "many")
    assert (code, err) == (Exit.USAGE, "xmppctl: coats: 'many': this is no whole number\n")


# What it does


def test_arguments_reach_the_command(xmppctl: Xmppctl, server: Running) -> None:
    """Arguments and options arrive with their types."""
    assert xmppctl("paint", "fence") == (0, "painted\n", "")
    xmppctl("paint", "fence", "--colour", "blue", "--coats", "2", "--where", "a", "--where", "b", "--shiny")
    assert server.noun.calls == [
        ("fence", Colour.RED, 1, [], False),
        ("fence", Colour.BLUE, 2, ["a", "b"], True),
    ]


def test_table(xmppctl: Xmppctl) -> None:
    """In a pipe a table is tab-separated; as JSON a list of objects."""
    assert xmppctl("show", "table")[1].splitlines() == [
        "name\tcount\thow_long\tmore",
        "a\t12\t1d 1h\t-",
        "b\\u001b[31m\t3\t5s\tx, y",
    ]
    assert json.loads(xmppctl("--json", "show", "table")[1])[0] == {
        "name": "a", "count": 12, "how_long": 90061, "more": None,
    }  # fmt: skip
    assert xmppctl("show", "table", "--empty")[1] == "name\tcount\thow_long\tmore\n"


def test_fields(xmppctl: Xmppctl) -> None:
    """Fields are lines, or an object."""
    assert xmppctl("show", "fields")[1] == "name\ta\nmemory\t12.3 MiB\non\tyes\n"
    assert json.loads(xmppctl("--json", "show", "fields")[1]) == {"name": "a", "memory": 12_900_000, "on": True}


def test_stream(xmppctl: Xmppctl) -> None:
    """Rows are lines."""
    assert xmppctl("count", "2") == (0, "0  a\\u000ab\n1  a\\u000ab\n", "")
    assert xmppctl("--json", "count", "1")[1] == '{"number":0,"nothing":null,"text":"a\\nb"}\n'


def test_lines_go_to_a_file(xmppctl: Xmppctl, server: Running, tmp_path: Path) -> None:
    """It is written here, for its owner alone; what else there is to say is said."""
    path = tmp_path / "lines.xml"
    assert xmppctl("write", str(path)) == (0, "2 lines written\n", "")
    assert path.read_text() == "<a/>\n<b/>\n"
    assert path.stat().st_mode & 0o777 == 0o600
    code, _, err = xmppctl("write", str(path))
    assert (code, str(path) in err) == (Exit.USAGE, True)
    assert server.noun.calls == [str(path)]


def test_file_of_a_command_that_fails(xmppctl: Xmppctl, tmp_path: Path) -> None:
    """Nothing is left that looks as if it were whole."""
    path = tmp_path / "lines.xml"
    code, _, err = xmppctl("write", str(path), "--fails")
    assert code == Exit.FAILED
    assert "it is broken" in err
    assert not path.exists()


def test_progress(xmppctl: Xmppctl) -> None:
    """Without a terminal nothing is drawn of how far it is; programs are told."""
    assert xmppctl("wipe", "2", "--yes") == (0, "2 wiped\n", "")
    lines = xmppctl("--json", "wipe", "1", "--yes")[1].splitlines()
    assert [json.loads(line) for line in lines] == [
        {"progress": 0, "of": 1}, {"progress": 1, "of": 1}, {"sentence": "1 wiped", "wiped": 1},
    ]  # fmt: skip


def test_interrupted_stream_is_done(xmppctl: Xmppctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is how one ends a stream; of any other command it is an interruption."""

    def interrupt(self: Any, row: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Renderer, "row", interrupt)
    monkeypatch.setattr(cli.Renderer, "result", lambda self, result: interrupt(self, result))
    assert xmppctl("count", "2")[0] == 0
    assert xmppctl("paint", "fence")[0] == 130


def test_work_that_is_interrupted_is_not_done(
    xmppctl: Xmppctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stream that gets something done, or writes a file, has an end of its own: without it the shell must know."""

    def interrupt(self: Any, row: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Renderer, "row", interrupt)
    assert xmppctl("wipe", "2", "--yes")[0] == 130
    assert xmppctl("write", str(tmp_path / "lines.xml"))[0] == 130
    assert not (tmp_path / "lines.xml").exists()


def test_document(xmppctl: Xmppctl, tmp_path: Path) -> None:
    """A file is read here and sent to the server."""
    file = tmp_path / "stanza.xml"
    file.write_text("<message/>")
    assert xmppctl("show", "file", str(file)) == (0, "<message/>\n", "")
    assert xmppctl("show", "file", str(tmp_path / "none"))[0] == Exit.USAGE


@pytest.mark.parametrize("code", [1, 4, 5])
def test_exit_code_is_the_commands(xmppctl: Xmppctl, code: int) -> None:
    """An error is told on standard error, with its remedy, and ends with its code."""
    assert xmppctl("fail", str(code)) == (code, "", "xmppctl: it is broken\\u0007\n  mend it\n")


@pytest.mark.parametrize("code", [1, 4, 5])
def test_errors_for_programs(xmppctl: Xmppctl, code: int) -> None:
    """With --json an error is an object where the result would be, and nothing else is said."""
    ended, out, err = xmppctl("--json", "fail", str(code))
    assert (ended, err) == (code, "")
    assert json.loads(out) == {"error": {"text": "it is broken\x07", "remedy": "mend it", "code": code}}


@pytest.mark.parametrize("words", [["pain"], ["lock"], ["paint"], ["paint", "fence", "--coats", "x"], ["--what"]])
def test_wrong_usage_for_programs(xmppctl: Xmppctl, words: list[str]) -> None:
    """Words that cannot be understood are no exception."""
    code, out, err = xmppctl("--json", *words)
    assert (code, err) == (Exit.USAGE, "")
    assert json.loads(out)["error"]["code"] == Exit.USAGE


def test_json_may_stand_behind(xmppctl: Xmppctl) -> None:
    """--json is an option of every command, too."""
    assert json.loads(xmppctl("show", "fields", "--json")[1])["name"] == "a"
    assert json.loads(xmppctl("fail", "1", "--json")[1])["error"]["text"] == "it is broken\x07"


def test_interrupted_for_programs(xmppctl: Xmppctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are told as well."""

    def interrupt(self: Any, result: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Renderer, "result", interrupt)
    code, out, _ = xmppctl("--json", "paint", "fence")
    assert code == 130
    assert json.loads(out) == {"error": {"text": "interrupted", "code": 130}}


def test_the_configuration_that_was_found(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a checkout nothing need be named; whatever goes wrong, it is said which server was meant."""
    checkout = tmp_path / "elsewhere"
    config.parent.rename(checkout / "var")
    file = checkout / "var" / "xmppd.toml"
    assert run(["db", "migrate"]) == 0
    assert run(["account", "info", "nobody@localhost"]) == Exit.UNKNOWN
    assert capsys.readouterr().err.splitlines() == [
        "xmppctl: there is no account nobody@localhost",
        f"  (no server was named: this is that of {file})",
    ]
    assert run(["status"]) == Exit.UNREACHABLE
    assert str(file) in capsys.readouterr().err
    assert run(["--json", "status"]) == Exit.UNREACHABLE
    assert json.loads(capsys.readouterr().out)["error"]["configuration"] == str(file)
    assert run(["--config", str(file), "status"]) == Exit.UNREACHABLE
    assert "no server was named" not in capsys.readouterr().err


def test_fault_of_the_server(xmppctl: Xmppctl) -> None:
    """A fault of the server ends with 70 and points to its log."""
    code, _, err = xmppctl("crash")
    assert code == Exit.INTERNAL
    assert "log" in err


def test_danger(xmppctl: Xmppctl, server: Running) -> None:
    """What destroys something is refused unless it is confirmed."""
    assert xmppctl("lock", "break", "a")[0] == Exit.REFUSED
    assert server.noun.calls == []
    assert xmppctl("lock", "break", "a", "b", "--yes")[0] == 0
    assert server.noun.calls == [["a", "b"]]


# As a process


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "xmppd.cli.main", *map(str, words)]


def process(*words: object, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), input=given, capture_output=True, text=True, check=False)


def test_process(server: Running) -> None:
    """The process ends with the exit code of the command."""
    done = process("--socket", server.path, "lock", "add", "a@b.example", "--password-stdin", given="pencil\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "locked\n", "")
    assert server.noun.calls == [(Jid("a@b.example"), "pencil")]
    assert process("--socket", server.path, "fail", "4").returncode == Exit.UNKNOWN


def test_process_without_a_server(config: Path) -> None:
    """With the server down accounts are changed in the database; what needs a server ends with 3."""
    assert process("--config", config, "db", "migrate").returncode == 0
    done = process("--config", config, "account", "add", "romeo@localhost", "--password-stdin", given="pencil\n")
    assert (done.returncode, done.stdout) == (0, "romeo@localhost is registered\n")
    done = process("--config", config, "--json", "account", "list")
    assert [row["account"] for row in json.loads(done.stdout)] == ["romeo@localhost"]
    done = process("--config", config, "status")
    assert (done.returncode, done.stdout) == (Exit.UNREACHABLE, "")
    assert "no server answers" in done.stderr


def test_reader_that_has_enough(server: Running) -> None:
    """A pipe that is closed early is no traceback."""
    words = command("--socket", server.path, "count", "100000")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == Exit.FAILED


def converse(words: list[str], *answers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Run a process on a terminal of its own; after each prompt type the answer. Return exit code and screen."""
    child, descriptor = pty.fork()
    if child == 0:
        os.execv(words[0], words)  # the child becomes the process
    screen, waiting = b"", list(answers)
    seen = 0
    while True:
        try:
            select.select([descriptor], [], [])
            screen += os.read(descriptor, 4096)
        except OSError:  # how Linux tells that the other side of a terminal has gone
            break
        if waiting and waiting[0][0] in screen[seen:]:
            seen = len(screen)
            os.write(descriptor, waiting.pop(0)[1] + b"\n")
    os.close(descriptor)
    _, status = os.waitpid(child, 0)
    assert not waiting, screen
    return os.waitstatus_to_exitcode(status), screen


def test_password_is_asked_for_twice(server: Running) -> None:
    """On a terminal the password is asked for and not shown; one that was mistyped is asked for again."""
    words = command("--socket", server.path, "lock", "add", "a@b.example")
    code, screen = converse(
        words,
        (b"Password:", b"pencil"),
        (b"confirm", b"pencl"),
        (b"Password:", b"pencil"),
        (b"confirm", b"pencil"),
    )
    assert code == 0
    assert b"pencil" not in screen
    assert server.noun.calls == [(Jid("a@b.example"), "pencil")]


@pytest.mark.parametrize(("answer", "code"), [(b"y", 0), (b"n", Exit.REFUSED), (b"", Exit.REFUSED)])
def test_confirmation_on_a_terminal(server: Running, answer: bytes, code: int) -> None:
    """On a terminal what destroys something is asked about, and no is the default."""
    words = command("--socket", server.path, "lock", "break", "a")
    assert converse(words, (b"Are you sure?", answer))[0] == code
    assert server.noun.calls == ([["a"]] if code == 0 else [])


def test_table_on_a_terminal(server: Running) -> None:
    """On a terminal a table is drawn."""
    code, screen = converse(command("--socket", server.path, "show", "table"))
    assert code == 0
    assert b"Things" in screen
    assert b"how long" in screen
    assert b"\x1b[31m" not in screen


def test_progress_on_a_terminal(server: Running) -> None:
    """A bar is drawn, and makes room for what is said at the end."""
    code, screen = converse(command("--socket", server.path, "wipe", "4", "--yes"))
    assert code == 0
    assert b"100 %  4 of 4" in screen
    assert screen.rstrip().endswith(b"\r4 wiped")


def test_completion(server: Running) -> None:
    """The shell's completion offers the server's words."""
    environment = {
        **os.environ,
        "_XMPPCTL_COMPLETE": "bash_complete",
        "COMP_WORDS": "xmppctl lock ",
        "COMP_CWORD": "2",
        "XMPPD_SOCKET": str(server.path),
    }
    done = subprocess.run(command(), env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["plain,add", "plain,break"]
