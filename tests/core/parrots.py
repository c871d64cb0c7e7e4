"""A third party's module, in several versions, for tests that find, load and reload modules."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenario.server import Server

SOURCE = """
from dataclasses import dataclass
from typing import ClassVar
from xmppd.config.schema import option
from xmppd.core.iq import Target, iq
from xmppd.core.module import Module
from xmppd.protocol.element import E

@dataclass
class Config:
    size: int = option(3, help="How loud.", live=True)
    {more}

@dataclass
class Parrot(Module):
    name: ClassVar = "parrot"
    config: Config

    @iq("get", "{{urn:x}}word", Target.HOST)
    async def say(self, request):
        return E("{{urn:x}}word", "{word}", size=self.config.size)
"""


def write(path: Path, word: str, more: str = "", name: str = "tests_parrot") -> None:
    """Write a version of a third-party module."""
    (path / f"{name}.py").write_text(SOURCE.format(word=word, more=more))
    for compiled in path.glob(f"__pycache__/{name}.*"):  # two versions of one second and length look alike to Python
        compiled.unlink()


PARROT = """
from dataclasses import dataclass, field
from typing import ClassVar
from xmppd.core.module import Module
from .api import Song

@dataclass
class Parrot(Module):
    name: ClassVar = "parrot"
    offered: ClassVar = (Song,)
    song: Song = field(default_factory=lambda: Song("{word}"), init=False)

    def offers(self):
        return {{Song: self.song}}
"""

LISTENER = """
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xmppd.core.module import Module
from .api import Song

@dataclass
class Listener(Module):
    name: ClassVar = "listener"
    song: Song

    async def start(self):
        if self.song.word == "shriek":
            raise OSError("my ears")
        if (Path(__file__).parents[1] / "silence").exists():
            raise OSError("silence")
"""


def write_choir(path: Path, word: str) -> None:
    """Write a version of a package with two modules, of which one needs what the other offers."""
    folder = path / "tests_choir"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / "api.py").write_text("class Song:\n    def __init__(self, word):\n        self.word = word\n")
    (folder / "parrot.py").write_text(PARROT.format(word=word))
    (folder / "listener.py").write_text(LISTENER)
    for compiled in folder.glob("__pycache__/parrot.*"):
        compiled.unlink()


def says(server: Server) -> str:
    """Ask the parrot."""
    client = server.connect("juliet@capulet.example/balcony")
    client.sends("<iq type='get' id='1' to='capulet.example'><word xmlns='urn:x'/></iq>")
    answer = client.receives_any()
    word = answer.find("{urn:x}word")
    return "" if word is None else f"{word.text} {word.get('size')}"


@contextmanager
def importable(folder: Path) -> Iterator[Path]:
    """Let Python import from a folder, and leave nothing imported behind."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(folder))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(folder)):
            del sys.modules[name]
