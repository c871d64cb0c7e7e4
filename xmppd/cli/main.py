"""`xmppctl`: the words of the command line into one command, its arguments and its result."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import click

from ..core.results import CommandError, Exit
from .backend import Backend, choose
from .description import Description
from .output import Output, path_of
from .parameters import click_parameters, gather
from .progress import Progress
from .render import Renderer, printable

INTERRUPTED: Final = 130
"""What a shell reports of a program that Ctrl-C has ended."""

JSON: Final = "_json"
JSON_HELP: Final = "Write JSON, errors included, instead of tables and sentences."


@dataclass
class Invocation:
    """What the options say that every command has, and the one who will run it."""

    config: Path | None = None
    socket: Path | None = None
    as_json: bool = False

    @cached_property
    def backend(self) -> Backend:
        """The running server, or this process itself; found out once."""
        return choose(self.config, self.socket)

    def read(self, options: Mapping[str, Any]) -> None:
        """Take what the front options say so far; `--help` asks before they are all read."""
        self.config, self.socket = options.get("config"), options.get("socket")
        self.as_json = self.as_json or bool(options.get("as_json"))

    @property
    def found(self) -> Path | None:
        """The configuration that was found as none was named, if anybody has looked for it."""
        return self.backend.found if "backend" in vars(self) else None


class Tree(click.Group):
    """The nouns, or the verbs of one noun: as many words as the commands have, read when they are asked for."""

    def __init__(self, name: str, path: tuple[str, ...] = (), **attributes: Any) -> None:
        super().__init__(name, **attributes)
        self._path = path

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the words that may come next."""
        return list(dict.fromkeys(found.words[len(self._path)] for found in self._below(ctx)))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of the next word: one to run, or the group of those that go on from there."""
        path = (*self._path, cmd_name)
        found = [known for known in self._below(ctx) if tuple(known.words[: len(path)]) == path]
        if not found:
            if not ctx.resilient_parsing:  # as completion reads what is not finished
                _invocation(ctx).backend.miss(" ".join(path))
            return None
        if tuple(found[0].words) == path:
            return _leaf(found[0])
        verbs = ", ".join(known.words[len(path)] for known in found)
        metavar = "VERB [ARGUMENTS]..."
        return Tree(cmd_name, path, short_help=verbs, help=f"Commands: {verbs}.", subcommand_metavar=metavar)

    def _below(self, ctx: click.Context) -> list[Description]:
        commands = _invocation(ctx).backend.commands
        return [known for known in commands if tuple(known.words[: len(self._path)]) == self._path]


def _invocation(ctx: click.Context) -> Invocation:
    root = ctx.find_root()
    invocation: Invocation = root.ensure_object(Invocation)
    invocation.read(root.params)
    return invocation


def _leaf(description: Description) -> click.Command:
    def run(**values: Any) -> None:
        invocation = _invocation(click.get_current_context())
        invocation.as_json = values.pop(JSON) or invocation.as_json
        _run(invocation, description, values)

    help = description.summary + "." + (f"\n\n{description.help}" if description.help else "")
    return click.Command(
        description.words[-1],
        params=[*click_parameters(description), click.Option([JSON, "--json"], is_flag=True, help=JSON_HELP)],
        callback=run,
        help=help,
        short_help=description.summary,
    )


def _run(invocation: Invocation, description: Description, values: dict[str, Any]) -> None:
    """Gather the arguments, run the command and show what comes."""
    invocation.backend.check(description)
    renderer = Renderer(sys.stdout, invocation.as_json, Progress(sys.stderr))
    arguments = gather(description, values)
    path = path_of(description, arguments)
    try:
        if path is not None:
            _write(invocation, description, arguments, Output(path, renderer.row))
            return
        result = invocation.backend.run(description, arguments, renderer.row)
    except KeyboardInterrupt:
        if description.streams and path is None and not description.danger:  # that is how one ends it
            return
        raise
    finally:
        renderer.clear()
    if not description.streams:
        renderer.result(result)


def _write(invocation: Invocation, description: Description, arguments: dict[str, Any], output: Output) -> None:
    """Run a command whose lines go to a file."""
    with output:
        invocation.backend.run(description, arguments, output.take)


FRONT: Final[Sequence[click.Parameter]] = (
    click.Option(
        ["--config"],
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="XMPPD_CONFIG",
        is_eager=True,
        help="The server's configuration file.",
    ),
    click.Option(
        ["--socket"],
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="XMPPD_SOCKET",
        is_eager=True,
        help="The administration socket, if it is not where the configuration says.",
    ),
    click.Option(["as_json", "--json"], is_flag=True, is_eager=True, help=JSON_HELP),
)


EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    the command failed
  2    wrong usage
  3    the command needs a running server, and none answers
  4    what was named does not exist
  5    refused, or not confirmed
  70   a fault of the server; its log has the details
  130  interrupted
"""


def front_door() -> click.Group:
    """Return the command line of `xmppctl`."""
    return Tree(
        "xmppctl",
        params=[*FRONT],
        callback=lambda **front: None,
        help="Administer an XMPP server.\n\nWhat can be done comes from the running server, or with the server down "
        "from the code; then only what needs no server works.",
        epilog=EXIT_CODES,
        subcommand_metavar="NOUN [VERB] [ARGUMENTS]...",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
        no_args_is_help=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `xmppctl` and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    invocation = Invocation(as_json="--json" in words)  # known even of words that cannot be read
    try:
        front_door().main(args=words, prog_name="xmppctl", standalone_mode=False, obj=invocation)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        return _misunderstood(invocation, error)
    except CommandError as error:
        return _complain(invocation, error)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(invocation)
    except BrokenPipeError:  # whoever read our output has enough; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FAILED)
    return int(Exit.OK)


def _misunderstood(invocation: Invocation, error: click.ClickException) -> int:
    """Tell a mistake in the command line itself."""
    if not invocation.as_json:
        error.show()
        return error.exit_code
    return _complain(invocation, CommandError(error.format_message(), "xmppctl --help", Exit(error.exit_code)))


def _complain(invocation: Invocation, error: CommandError) -> int:
    """Tell what went wrong, and whose server it was about if that was not said; return the exit code."""
    if invocation.as_json:
        Renderer(sys.stdout, as_json=True).error(error, invocation.found)
        return int(error.code)
    click.echo(f"xmppctl: {printable(error.text)}", err=True)
    if error.remedy:
        click.echo(f"  {printable(error.remedy)}", err=True)
    if invocation.found is not None:
        click.echo(f"  (no server was named: this is that of {printable(str(invocation.found))})", err=True)
    return int(error.code)


def _interrupted(invocation: Invocation) -> int:
    if invocation.as_json:
        Renderer(sys.stdout, as_json=True).object({"error": {"text": "interrupted", "code": INTERRUPTED}})
    else:
        click.echo(err=True)
    return INTERRUPTED


if __name__ == "__main__":
    main()
