"""The loader: which modules there are, in which order they come, and how they go."""

import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import xmppd.modules
from tests.scenario.server import Server
from xmppd.core.commands import Registry
from xmppd.core.drive import drive
from xmppd.core.events import SessionBound
from xmppd.core.hooks import Hooks, notice
from xmppd.core.iq import IqRequest, Iqs, Target, iq
from xmppd.core.loader import Loader, LoadError, config_of, discover, fitting, needs_of
from xmppd.core.module import Module


class Water:
    """What the well offers."""


class Bread:
    """What nobody offers."""


LIFE: list[str] = []
"""What modules did, in order; emptied before each test."""


@dataclass
class Lively(Module):
    """A module that says what happens to it."""

    async def start(self) -> None:
        LIFE.append(f"start {self.name}")

    async def stop(self) -> None:
        LIFE.append(f"stop {self.name}")


@dataclass
class Well(Lively):
    name: ClassVar = "well"
    offered: ClassVar = (Water,)
    water: Water = field(default_factory=Water, init=False)

    def offers(self) -> Mapping[type, Any]:
        return {Water: self.water}

    @iq("get", "{urn:x}water", Target.HOST)
    async def draw(self, request: IqRequest) -> None:
        """Answer."""

    @notice(SessionBound)
    async def hear(self, event: SessionBound) -> None:
        """Listen."""


@dataclass
class Garden(Lively):
    name: ClassVar = "garden"
    water: Water


@dataclass
class Baker(Lively):
    name: ClassVar = "baker"
    bread: Bread


@dataclass
class Options:
    size: int = 3


@dataclass
class Shed(Lively):
    name: ClassVar = "shed"
    config: Options


@dataclass
class OtherWell(Lively):
    name: ClassVar = "other_well"
    offered: ClassVar = (Water,)

    def offers(self) -> Mapping[type, Any]:
        return {Water: Water()}


@dataclass
class Liar(Lively):
    name: ClassVar = "liar"
    offered: ClassVar = (Water,)


@dataclass
class Rival(Lively):
    """Answers what the well answers."""

    name: ClassVar = "rival"

    @iq("get", "{urn:x}water", Target.HOST)
    async def draw(self, request: IqRequest) -> None:
        """Answer."""


@dataclass
class Broken(Lively):
    name: ClassVar = "broken"

    async def start(self) -> None:
        raise OSError("no disk")


@dataclass
class Stubborn(Lively):
    name: ClassVar = "stubborn"

    async def stop(self) -> None:
        raise OSError("will not")


class Hen:
    """What the egg needs."""


class Egg:
    """What the hen needs."""


@dataclass
class Henhouse(Module):
    name: ClassVar = "henhouse"
    offered: ClassVar = (Hen,)
    egg: Egg


@dataclass
class Nest(Module):
    name: ClassVar = "nest"
    offered: ClassVar = (Egg,)
    hen: Hen


ALL = (Well, Garden, Baker, Shed, OtherWell, Liar, Rival, Broken, Stubborn, Henhouse, Nest)


def make(configs: Mapping[str, Any] | None = None) -> Loader:
    """Return a loader that knows all modules of this file."""
    return Loader(Hooks(), Iqs(Clock()), Registry(), {}, {cls.name: cls for cls in ALL}, configs or {})


@pytest.fixture(autouse=True)
def nothing_happened() -> None:
    LIFE.clear()


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A folder that Python imports from, and that leaves nothing imported behind."""
    before = set(sys.modules)
    sys.path.insert(0, str(tmp_path))
    importlib.invalidate_caches()
    yield tmp_path
    sys.path.remove(str(tmp_path))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(tmp_path)):
            del sys.modules[name]


class TestOrder:
    """What is needed comes first."""

    def test_needs_come_first(self) -> None:
        """Makers before their users, otherwise by name, so that every start is the same."""
        assert make().ordered(["shed", "garden", "well"]) == ["well", "garden", "shed"]

    def test_circle(self) -> None:
        """Modules that need each other are told by name."""
        with pytest.raises(LoadError, match="henhouse -> nest -> henhouse"):
            make().ordered(["nest", "henhouse"])

    def test_unknown(self) -> None:
        """A name that is not known is told."""
        with pytest.raises(LoadError, match="there is no module cellar"):
            make().ordered(["cellar"])

    def test_two_makers(self) -> None:
        """Two modules that offer the same are told apart by the operator, not by chance."""
        with pytest.raises(LoadError, match="both offer Water"):
            make().ordered(["well", "other_well"])


class TestLoading:
    """One module after the other."""

    def test_injection(self) -> None:
        """A field is given what is offered for its type."""
        loader = make()
        drive(loader.load_all(["garden", "well"]))
        garden, well = loader.loaded["garden"], loader.loaded["well"]
        assert isinstance(garden, Garden)
        assert isinstance(well, Well)
        assert garden.water is well.water
        assert LIFE == ["start well", "start garden"]
        assert list(loader.loaded) == ["well", "garden"]

    def test_missing_need(self) -> None:
        """A need that nobody provides is told by its name; nothing was started."""
        with pytest.raises(LoadError, match="baker needs Bread, which nothing"):
            drive(make().load("baker"))
        assert LIFE == []

    def test_options(self) -> None:
        """The field `config` is the module's own options, or their defaults."""
        given = Options(size=7)
        for configs, expected in (({"shed": given}, 7), ({}, 3)):
            shed = drive(make(configs).load("shed"))
            assert isinstance(shed, Shed)
            assert shed.config.size == expected
        assert config_of(Shed) is Options
        assert config_of(Well) is None
        assert needs_of(Garden) == {"water": Water}

    def test_twice(self) -> None:
        """A module runs once."""
        loader = make()
        drive(loader.load("well"))
        with pytest.raises(LoadError, match="loaded already"):
            drive(loader.load("well"))
        with pytest.raises(LoadError, match="there is no module cellar"):
            drive(loader.load("cellar"))

    def test_twice_at_once(self) -> None:
        """Two administrators who load a module in the same moment get it once."""
        starting: Deferred[None] = Deferred()

        @dataclass
        class Slow(Lively):
            name: ClassVar = "slow"

            async def start(self) -> None:
                await starting

        loader = make()
        loader.known["slow"] = Slow
        first = drive(loader.load("slow"))
        assert isinstance(first, Deferred)
        with pytest.raises(LoadError, match="being loaded"):
            drive(loader.load("slow"))
        starting.callback(None)
        assert list(loader.loaded) == ["slow"]

    def test_fails_to_start(self) -> None:
        """A module that fails to start is told with its reason, and nothing of it is bound."""
        loader = make()
        with pytest.raises(LoadError, match="broken failed to start: OSError: no disk"):
            drive(loader.load("broken"))
        assert not loader.loaded

    @pytest.mark.parametrize(("name", "match"), [("rival", "both answer"), ("other_well", "there already")])
    def test_takes_what_is_taken(self, name: str, match: str) -> None:
        """A second answerer or maker is refused, stopped, and the first goes on undisturbed."""
        loader = make()
        drive(loader.load("well"))
        with pytest.raises(LoadError, match=match):
            drive(loader.load(name))
        assert list(loader.loaded) == ["well"]
        assert [owner for *_, owner in loader._iqs.entries()] == ["well"]
        assert LIFE[1:] in ([], ["start rival", "stop rival"])

    def test_says_one_thing_and_does_another(self) -> None:
        """What is declared to be offered must be offered, or the order would be wrong."""
        with pytest.raises(LoadError, match="declares to offer"):
            drive(make().load("liar"))
        assert LIFE == ["start liar", "stop liar"]


class TestUnloading:
    """And back."""

    def test_unload(self) -> None:
        """Handlers, answers and what was offered go with the module."""
        loader = make()
        drive(loader.load("well"))
        drive(loader.unload("well"))
        assert LIFE == ["start well", "stop well"]
        assert loader._hooks.entries() == []
        assert loader._iqs.entries() == []
        with pytest.raises(LoadError, match="needs Water"):
            drive(loader.load("garden"))

    def test_needed(self) -> None:
        """What others need stays."""
        loader = make()
        drive(loader.load_all(["garden", "well"]))
        with pytest.raises(LoadError, match="garden needs it"):
            drive(loader.unload("well"))
        drive(loader.unload("garden"))
        drive(loader.unload("well"))
        assert not loader.loaded

    def test_not_loaded(self) -> None:
        """What does not run cannot be unloaded or reloaded."""
        for change in (make().unload, make().reload):
            with pytest.raises(LoadError, match="well is not loaded"):
                drive(change("well"))

    def test_failing_stop(self) -> None:
        """A module that fails to stop is gone nevertheless."""
        loader = make()
        drive(loader.load("stubborn"))
        drive(loader.unload("stubborn"))
        drive(loader.load("stubborn"))
        drive(loader.load("well"))
        drive(loader.stop_all())
        assert not loader.loaded
        assert loader._hooks.entries() == []

    def test_stop_all(self) -> None:
        """The last comes first, so that nobody is left without what it needs."""
        loader = make()
        drive(loader.load_all(["garden", "well"]))
        drive(loader.stop_all())
        assert LIFE[2:] == ["stop garden", "stop well"]


SOURCE = """
from dataclasses import dataclass
from typing import ClassVar
from xmppd.core.iq import Target, iq
from xmppd.core.module import Module
from xmppd.protocol.element import E

@dataclass
class Config:
    size: int = 3
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


def says(server: Server) -> str:
    """Ask the parrot."""
    client = server.connect("juliet@capulet.example/balcony")
    client.sends("<iq type='get' id='1' to='capulet.example'><word xmlns='urn:x'/></iq>")
    answer = client.receives_any()
    word = answer.find("{urn:x}word")
    return "" if word is None else f"{word.text} {word.get('size')}"


class TestReloading:
    """Another version takes over while the server runs."""

    def test_new_version(self, path: Path) -> None:
        """The new code answers; options keep their values, new ones have their defaults."""
        write(path, "hello")
        server = Server(load=("tests_parrot",), modules={"parrot": {"size": 5}})
        assert says(server) == "hello 5"
        write(path, "goodbye", more="volume: int = 11")
        server.wait(server.node.loader.reload("parrot"))
        assert says(server) == "goodbye 5"
        assert server.node.loader.loaded["parrot"].config.volume == 11  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        "broken",
        [
            "this is no Python",
            "import nothing_of_that_name",
            "1 / 0",
            "",
            SOURCE.format(word="x", more="").replace("config: Config", "config: Config\n    bread: 'dict[int, int]'"),
            SOURCE.format(word="x", more="") + "\n    async def start(self):\n        raise OSError('no disk')\n",
            SOURCE.format(word="x", more="").replace("urn:x", "urn:xmpp:ping").replace("word", "ping"),
        ],
        ids=["syntax", "import", "raises", "empty", "missing need", "fails to start", "answer is taken"],
    )
    def test_broken_version(self, path: Path, broken: str) -> None:
        """The old code goes on, and can be reloaded once the new one is mended."""
        write(path, "hello")
        server = Server(load=("tests_parrot",))
        (path / "tests_parrot.py").write_text(broken)
        with pytest.raises(LoadError, match="the old one goes on"):
            server.wait(server.node.loader.reload("parrot"))
        assert says(server) == "hello 3"
        assert importlib.import_module("tests_parrot") is inspect.getmodule(type(server.node.loader.loaded["parrot"]))
        write(path, "mended")
        server.wait(server.node.loader.reload("parrot"))
        assert says(server) == "mended 3"

    def test_module_of_ours(self, server: Server) -> None:
        """One of the server's own modules is reloaded like any other."""
        old = server.node.loader.loaded["ping"]
        new = server.wait(server.node.loader.reload("ping"))
        assert type(new) is not type(old)
        client = server.connect("juliet@capulet.example/balcony")
        client.sends("<iq to='capulet.example' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
        client.receives("<iq from='capulet.example' to='juliet@capulet.example/balcony' id='1' type='result'/>")

    def test_needed_by_others(self, server: Server) -> None:
        """What others hold on to is not pulled away from them; their types stay the same."""
        with pytest.raises(LoadError, match=r"roster was not reloaded.*needs it"):
            server.wait(server.node.loader.reload("roster"))
        assert "roster" in server.node.loader.loaded

    def test_options_that_fit(self) -> None:
        """Options of the same class are passed on as they are."""
        options = Options(5)
        assert fitting(options, Options) is options
        assert fitting(options, int) is options


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


def test_example_of_the_documentation(path: Path) -> None:
    """The whole module that `xmppd.modules` shows is loaded by its dotted name and greets who logs in."""
    documentation = inspect.getdoc(xmppd.modules) or ""
    example = documentation.partition('["xmppd_greeter"]``::\n')[2].partition("\nWhat a module can do:")[0]
    (path / "xmppd_greeter.py").write_text(textwrap.dedent(example))
    server = Server(load=("xmppd_greeter",), modules={"greeter": {"text": "Well met!"}})
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.receives(
        "<message from='capulet.example' to='juliet@capulet.example/balcony'><body>Well met!</body></message>"
    )
    server.wait(server.node.loader.unload("greeter"))
    server.connect("juliet@capulet.example/chamber").receives_nothing()
