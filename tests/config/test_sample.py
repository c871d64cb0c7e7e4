"""Sample: every option with its default and meaning, and all of them together valid."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from xmppd.config.load import load
from xmppd.config.sample import sample
from xmppd.config.schema import Duration, option, options, section_type
from xmppd.config.server import Config, Contacts, Host, Level, Listener, Shard

CONF = Path(__file__).parents[2] / "conf" / "xmppd.toml"


@dataclass
class GreeterConfig:
    """How newcomers are greeted."""

    text: str = option("Welcome", live=True, help="What they are told.")
    delay: Duration = option(Duration("5s"), ge=Duration("1s"), le=Duration("1m"), help="How long they wait for it.")


@dataclass
class Silent:
    plain: int = 3


MODULES = {"greeter": GreeterConfig, "silent": Silent, "ping": None}


def uncommented(text: str) -> str:
    """Return the sample with every option set to what it shows."""
    return re.sub("^#(?=[^ #\n])", "", text, flags=re.MULTILINE)


def test_the_sample_in_the_repository_is_what_the_declarations_make() -> None:
    """The options of the server come first, those of the modules follow."""
    assert CONF.read_text(encoding="utf-8").startswith(sample({}))


def test_the_sample_as_it_is_sets_nothing() -> None:
    """To copy it changes no default."""
    assert not any(table for table in tomllib.loads(sample(MODULES)).values() if table != {"greeter": {}, "silent": {}})


def test_all_options_together_are_the_default_configuration(tmp_path: Path) -> None:
    """What the sample shows as a default is accepted, and is the default."""
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    for name in ("example.org.crt", "example.org.key"):
        (certificates / name).touch()
    path = tmp_path / "xmppd.toml"
    path.write_text(uncommented(sample(MODULES)), encoding="utf-8")

    config = load(path, MODULES)

    data = tmp_path / "data"
    expected = Config()
    expected.server.data_folder, expected.admin.socket = data, data / "xmppd.sock"
    expected.server.pid_file, expected.server.ready_file, expected.log.file = (
        data / "xmppd.pid", data / "ready", data / "xmppd.log",
    )  # fmt: skip
    expected.log.terminal = Level.WARN
    expected.hosts = {
        "example.org": Host(
            certificate=certificates / "example.org.crt",
            key=certificates / "example.org.key",
            retention=Duration("365d"),
        )
    }
    expected.listeners = expected.listeners[:1]
    expected.listeners[0].client_authorities = certificates / "users-ca.crt"
    expected.shards = [Shard(url=type(expected.shards[0].url)(f"sqlite:///{data}/xmppd.sqlite"))]
    expected.modules.configs = {"greeter": GreeterConfig(), "silent": Silent()}
    assert config == expected


def test_every_option_of_the_server_is_there_and_explained() -> None:
    """No option without a sentence; none is forgotten."""
    text = sample({})
    sections = [section for one in options(Config) if (section := section_type(one.type))]
    for section in (*sections, Host, Contacts, Listener, Shard):
        for one in options(section):
            assert one.help.endswith("."), (section, one.name)
            assert section_type(one.type) or f"\n#{one.name} = " in text, (section, one.name)


def test_a_module_explains_its_options_with_bounds_and_liveness() -> None:
    """The docstring of its `Config` heads the table; a module without options has none."""
    text = sample(MODULES)
    assert text.endswith(
        """

# How newcomers are greeted.
[modules.greeter]

# What they are told. (live)
#text = "Welcome"

# How long they wait for it. Allowed: 1s to 1m.
#delay = "5s"


[modules.silent]

#plain = 3
"""
    )


def test_lines_fit_a_terminal() -> None:
    """Explanations are wrapped at 100 columns."""
    assert max(map(len, sample({}).splitlines())) <= 100
