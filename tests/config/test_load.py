"""Load: a file becomes a configuration, or lines that say how to mend it."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from xmppd.config.load import load, locate
from xmppd.config.problems import ConfigError
from xmppd.config.server import Config, Kind, Tls

from .conftest import HOST, MODULES, CarbonsConfig

Loaded = Callable[..., Config]
Problems = Callable[..., list[str]]


def refusal(path: Path) -> str:
    """Return the one line that says why a file cannot be used."""
    with pytest.raises(ConfigError) as raised:
        load(path, MODULES)
    assert len(raised.value.problems) == 1
    return str(raised.value)


def test_the_command_line_wins_over_the_environment() -> None:
    """--config, then XMPPD_CONFIG; nothing is guessed."""
    assert locate("a.toml", {"XMPPD_CONFIG": "b.toml"}) == Path("a.toml")
    assert locate(None, {"XMPPD_CONFIG": "b.toml"}) == Path("b.toml")
    with pytest.raises(ConfigError, match="name it with --config FILE or in XMPPD_CONFIG"):
        locate(None, {})


def test_a_host_is_all_that_must_be_set(loaded: Loaded) -> None:
    """Everything else has a default."""
    config = loaded()
    assert list(config.hosts) == ["example.org"]
    assert [(one.kind, one.tls, one.port) for one in config.listeners] == [
        (Kind.C2S, Tls.STARTTLS, 5222), (Kind.C2S, Tls.DIRECT, 5223), (Kind.HTTP, Tls.NONE, 5280),
    ]  # fmt: skip
    assert config.modules.configs == {"carbons": CarbonsConfig(folder=config.modules.configs["carbons"].folder)}


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """With the file that shows what to write."""
    line = refusal(tmp_path / "none.toml")
    assert line == (
        f"{tmp_path}/none.toml: there is no such file: create it (conf/xmppd.toml shows every option) or name another "
        "with --config"
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The file in it may be meant."""
    assert refusal(tmp_path) == f"{tmp_path}: is a folder: name the file in it"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not be read by the user that runs the server: change "
         "its owner or its mode"),
        (OSError(errno.EIO, "Input/output error"), "cannot be read: Input/output error"),
    ],
)  # fmt: skip
def test_an_unreadable_file_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, text: str) -> None:
    """The system's reason, and the remedy where there is one. (Raised by hand: the superuser may read everything.)"""
    path = folder / "xmppd.toml"

    def refuse(_: Path) -> bytes:
        raise error

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert refusal(path) == f"{path}: {text}"


def test_another_encoding_is_told_with_its_line(folder: Path) -> None:
    """A byte order mark is no mistake, Latin-1 is."""
    path = folder / "xmppd.toml"
    path.write_bytes(b"[server]\nname = '\xe4'\n")
    assert refusal(path) == f"{path}: line 2 is not UTF-8: save the file in this encoding"
    path.write_bytes(b"\xef\xbb\xbf" + HOST.encode())
    assert load(path, MODULES).hosts


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[server]\nname xmppd", "line 2, column 6: Expected '=' after a key in a key/value pair; correct the TOML"),
        ("[server]\nname = ", "line 2, column 8: Invalid value, but the file ends here: is it complete?"),
        ("[server]\nname = \"xm", "line 2, column 11: Unterminated string, but the file ends here: is it complete?"),
        ("[server]\n[server]\n", "line 2, column 8: Cannot declare ('server',) twice; correct the TOML"),
        ("a = 1\na = 2\n", "line 2, column 6: Cannot overwrite a value; correct the TOML"),
        ("a = " + "[" * 5000, "is nested too deeply"),
    ],
)  # fmt: skip
def test_bad_syntax_is_told_with_its_place(folder: Path, text: str, line: str) -> None:
    """Line and column; a file that ends too early may be half written."""
    path = folder / "xmppd.toml"
    path.write_text(text, encoding="utf-8")
    assert refusal(path) == f"{path}: {line}"


def test_unknown_keys_and_tables_name_the_nearest(problems: Problems) -> None:
    """At every depth."""
    assert problems("[limit]\ndepth = 9\n[server]\nnmae = 'x'\n[hosts.'example.org'.contacts]\nabsue = []\n") == [
        'limit: unknown key; did you mean "limits"?',
        'server.nmae: unknown key; did you mean "name"?',
        'hosts."example.org".contacts.absue: unknown key; did you mean "abuse"?',
    ]


def test_all_that_is_wrong_is_told(problems: Problems) -> None:
    """Wrong types, bounds, units and names in one go."""
    text = """
        [server]
        name = 3
        [limits]
        depth = 1
        negotiation = 30
        [log]
        level = "verbose"
        [modules.carbons]
        page_size = 0
        [admin]
        mode = "0666"
    """
    assert problems(text) == [
        "server.name = 3: must be text in quotes",
        'log.level = "verbose": must be "debug" or "info" or "warn" or "error" or "critical"',
        "limits.depth = 1: must be 8 to 1024",
        'limits.negotiation = 30: must be a duration with its unit: write "30s" or "1h30m"',
        "modules.carbons.page_size = 0: must be 1 to 500",
        'admin.mode = "0666": would make everybody on this machine an administrator: write "0600" or "0660"',
    ]


def test_relative_paths_count_from_the_file_and_the_data_folder(loaded: Loaded, folder: Path) -> None:
    """Not from the folder in which the server happens to be started."""
    config = loaded("[server]\ndata_folder = 'var'\n[admin]\nsocket = 'control'\n")
    assert config.hosts["example.org"].key == folder / "cert.pem"
    assert config.server.data_folder == folder / "var"
    assert config.admin.socket == folder / "var" / "control"
    assert config.shards[0].url == f"sqlite:///{folder}/var/xmppd.sqlite"
    assert config.modules.configs["carbons"].folder == folder / "carbons"


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        ("kind = 'c2s'", ("starttls", "*", 5222)),
        ("kind = 'c2s'\ntls = 'direct'", ("direct", "*", 5223)),
        ("kind = 'c2s'\ntls = 'direct'\nport = 0", ("direct", "*", 0)),
        ("kind = 's2s'", ("starttls", "*", 5269)),
        ("kind = 's2s'\ntls = 'direct'", ("direct", "*", 5270)),
        ("kind = 'component'", ("none", "127.0.0.1", 5347)),
        ("kind = 'http'", ("none", "127.0.0.1", 5280)),
        ("kind = 'http'\ntls = 'direct'\naddress = '::'", ("direct", "::", 5281)),
    ],
)
def test_a_listener_has_the_port_of_its_kind(loaded: Loaded, listener: str, expected: tuple[str, str, int]) -> None:
    """The registered ports, and loopback for what is not for everybody."""
    (made,) = loaded(f"[[listeners]]\n{listener}\n").listeners
    assert (made.tls, made.address, made.port) == expected


def test_listeners_are_tables_of_a_kind(problems: Problems) -> None:
    """What they are is asked for, not guessed."""
    assert problems("[listeners]\nkind = 'c2s'\n") == [
        'listeners = { kind = "c2s" }: must be tables: write [[listeners]]'
    ]
    assert problems("[[listeners]]\nport = 1\n") == ['listeners[0].kind: is missing: write kind = "c2s", say']
    assert problems("[[listeners]]\nkind = 'c2c'\n") == [
        'listeners[0].kind = "c2c": must be "c2s" or "s2s" or "component" or "http"; did you mean "c2s"?'
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[hosts.example.org]\n", 'hosts.example: quote the domain: write [hosts."example.org"]'),
        ("[hosts.im.example.org]\n", 'hosts.im: quote the domain: write [hosts."im.example.org"]'),
        ("[hosts.localhost.contcts]\n", 'hosts.localhost.contcts: unknown key; did you mean "contacts"?'),
        ("hosts = 3\n", "hosts = 3: must be a table of tables: write [hosts.name]"),
    ],
)
def test_a_domain_without_quotes_is_understood(problems: Problems, text: str, line: str) -> None:
    """TOML takes its dots for nested tables; say so once."""
    assert problems(text, host="") == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[modules.carbnos]\n", 'modules.carbnos: no module of this name is installed; did you mean "carbons"?'),
        ("[modules]\nlaod = []\n", 'modules.laod: no module of this name is installed; did you mean "load"?'),
        ("[modules.ping]\nx = 1\n", "modules.ping: this module has no options: remove the table"),
        ("[modules]\ndisable = ['pnig']\n", 'modules.disable[0] = "pnig": no module of this name is installed; did you '
         'mean "ping"?'),
        ("[modules]\nload = 'x'\n", 'modules.load = "x": must be a list, each item text in quotes'),
        ("[modules.carbons]\npage_sise = 3\n", 'modules.carbons.page_sise: unknown key; did you mean "page_size"?'),
        ("[modules]\ncarbons = 3\n", "modules.carbons = 3: must be a table: write [modules.carbons] and its options below"),
    ],
)  # fmt: skip
def test_mistakes_about_modules(problems: Problems, text: str, line: str) -> None:
    """Only modules that are installed have a table, and only those with options one with something in it."""
    assert problems(text) == [line]


def test_modules_are_a_table(problems: Problems) -> None:
    """A list of names is a wrong guess that people make."""
    assert problems("", host='modules = ["carbons"]\n' + HOST) == [
        'modules = ["carbons"]: must be a table: write [modules] and its options below'
    ]


def test_an_empty_table_of_a_module_without_options_does_no_harm(loaded: Loaded) -> None:
    """It is a way to say that the module is wanted."""
    assert "ping" not in loaded("[modules.ping]\n").modules.configs


def test_third_party_modules_are_found_before_their_options_are_read(folder: Path) -> None:
    """Who knows the modules is told the dotted names that the file wants."""
    path = folder / "xmppd.toml"
    path.write_text(
        HOST + "[modules]\nload = ['example.greeter']\n[modules.greeter]\npage_size = 7\n", encoding="utf-8"
    )
    asked: list[list[str]] = []

    def discover(names: list[str]) -> dict[str, type | None]:
        asked.append(names)
        return {"greeter": CarbonsConfig}

    assert load(path, discover).modules.configs["greeter"].page_size == 7
    assert asked == [["example.greeter"]]


def test_a_third_party_module_that_cannot_be_loaded_is_told(folder: Path) -> None:
    """The reason is the loader's, the place is the file's."""
    path = folder / "xmppd.toml"
    path.write_text(HOST + "[modules]\nload = ['example.greeter']\n", encoding="utf-8")

    def discover(names: list[str]) -> dict[str, type | None]:
        raise LookupError(f"there is no module {names[0]}: install it")

    with pytest.raises(ConfigError) as raised:
        load(path, discover)
    assert str(raised.value) == (
        f'{path}: modules.load = ["example.greeter"]: there is no module example.greeter: install it'
    )
