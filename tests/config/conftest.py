"""A configuration file to break."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from xmppd.config.load import load
from xmppd.config.problems import ConfigError
from xmppd.config.schema import Duration, option
from xmppd.config.server import Config

HOST = """
[hosts."example.org"]
certificate = "cert.pem"
key = "cert.pem"
"""


@dataclass
class CarbonsConfig:
    """How carbons behave."""

    page_size: int = option(50, ge=1, le=500, live=True, help="How many.")
    delay: Duration = option(Duration("5s"), help="How long.")
    folder: Path = option(Path("carbons"), help="Where.")


MODULES: Mapping[str, type | None] = {"carbons": CarbonsConfig, "ping": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the configuration file, with a certificate in it."""
    (tmp_path / "cert.pem").touch()
    return tmp_path


@pytest.fixture
def loaded(folder: Path) -> Callable[..., Config]:
    """Load a text, behind a host that is all right."""

    def load_text(text: str = "", host: str = HOST) -> Config:
        path = folder / "xmppd.toml"
        path.write_text(host + text, encoding="utf-8")
        return load(path, MODULES)

    return load_text


@pytest.fixture
def problems(loaded: Callable[..., Config], folder: Path) -> Callable[..., list[str]]:
    """Load a text; return what is wrong with it, without the name of the file."""

    def problems_of(text: str = "", host: str = HOST) -> list[str]:
        try:
            loaded(text, host)
        except ConfigError as error:
            return [str(problem).removeprefix(f"{folder / 'xmppd.toml'}: ") for problem in error.problems]
        return []

    return problems_of
