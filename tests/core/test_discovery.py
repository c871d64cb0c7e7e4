"""Discovery: where modules come from."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import xmppd.modules
from tests.scenario.server import Server
from xmppd.core.discovery import LoadError, discover, exists

from .parrots import SOURCE, importable, says, write


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A folder that Python imports from."""
    with importable(tmp_path) as folder:
        yield folder


class TestDiscovery:
    """Where modules come from."""

    def test_ours(self) -> None:
        """Every file and folder of the package is looked at."""
        found = discover(xmppd.modules)
        assert {"ping", "register", "roster", "version"} <= set(found)
        assert all(cls.name == name for name, cls in found.items())

    def test_dotted_name(self, path: Path) -> None:
        """A third party's module is found by its dotted name, also in a package."""
        package = path / "tests_birds"
        package.mkdir()
        (package / "__init__.py").write_text("")
        write(package, "hello", name="parrot")
        found = discover(xmppd.modules, ["tests_birds.parrot"])
        assert found["parrot"].__module__ == "tests_birds.parrot"

    def test_folder_of_files(self, path: Path) -> None:
        """A folder's module may stand in a file of it; what it merely imports from elsewhere is not its own."""
        package = path / "tests_birds"
        package.mkdir()
        write(package, "hello", name="parrot")
        (package / "__init__.py").write_text("from .parrot import Parrot\nfrom xmppd.modules.ping import Ping\n")
        assert discover(ModuleTypeWithoutModules(), ["tests_birds"]).keys() == {"parrot"}

    @pytest.mark.parametrize("value", ["tests_parrot", "tests_parrot:Parrot"])
    def test_entry_point(self, path: Path, value: str) -> None:
        """An installed distribution names its modules, or one class, in the group xmppd.modules."""
        write(path, "hello")
        install(path, value)
        assert discover(xmppd.modules)["parrot"].__module__ == "tests_parrot"
        assert says(Server()) == "hello 3"

    @pytest.mark.parametrize(
        ("value", "match"),
        [
            ("nothing_of_that_name", "cannot be loaded"),
            ("tests_parrot:Missing", "cannot be loaded"),
            ("tests_parrot:Config", "holds no xmppd module"),
            ("json", "holds no xmppd module"),
        ],
    )
    def test_bad_entry_point(self, path: Path, value: str, match: str) -> None:
        """An entry point that leads nowhere is told by its name."""
        write(path, "hello")
        install(path, value)
        with pytest.raises(LoadError, match=f"parrots = {value} {match}"):
            discover(xmppd.modules)

    @pytest.mark.parametrize(
        ("source", "match"),
        [
            ("import nothing_of_that_name", "cannot be imported: No module named"),
            ("this is no Python", "cannot be imported: SyntaxError"),
            ("1 / 0", "cannot be imported: ZeroDivisionError"),
            ("", "holds no xmppd module"),
            (SOURCE.format(word="x", more="").replace('"parrot"', '"ping"'), "both called ping"),
            (SOURCE.format(word="x", more="").replace("@dataclass\nclass Parrot", "class Parrot"), "is no dataclass"),
        ],
    )
    def test_bad_module(self, path: Path, source: str, match: str) -> None:
        """What cannot be a module is told by its name and its fault."""
        (path / "tests_parrot.py").write_text(source)
        with pytest.raises(LoadError, match=match):
            discover(xmppd.modules, ["tests_parrot"])

    def test_same_module_twice(self, path: Path) -> None:
        """A module that is installed and named as well is one module."""
        write(path, "hello")
        install(path, "tests_parrot")
        assert "parrot" in discover(xmppd.modules, ["tests_parrot"])


class ModuleTypeWithoutModules(ModuleType):
    """A package in which there is nothing."""

    def __init__(self) -> None:
        super().__init__("nothing")
        self.__path__ = []


def install(path: Path, value: str) -> None:
    """Make `path` hold an installed distribution with one entry point."""
    info = path / "tests_parrots-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tests-parrots\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[xmppd.modules]\nparrots = {value}\n")


def test_what_exists(path: Path) -> None:
    """A dotted name that Python could import; nothing of the module itself is run."""
    write(path, "hello")
    (path / "tests_parrot.py").write_text("1 / 0")
    assert exists("tests_parrot")
    assert exists("xmppd.modules.ping")
    for name in ("tests_parakeet", "tests_parrot.wings", "nowhere.to.be", "", ".", "../x", "a b", "tests_parrot."):
        assert not exists(name)
