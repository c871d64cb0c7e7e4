"""The loader: which modules there are, in which order they come, and how they go."""

import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import xmppd.modules
from tests.scenario.server import Server
from xmppd.config.changes import adopt
from xmppd.core.commands import Registry
from xmppd.core.discovery import LoadError, config_of, needs_of
from xmppd.core.drive import drive
from xmppd.core.events import SessionBound
from xmppd.core.hooks import Hooks, notice
from xmppd.core.iq import IqRequest, Iqs, Target, iq
from xmppd.core.loader import Loader, fitting
from xmppd.core.module import Module

from .parrots import SOURCE, importable, says, write, write_choir


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
    """A folder that Python imports from."""
    with importable(tmp_path) as folder:
        yield folder


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

    def test_what_is_offered(self) -> None:
        """Who asks by type gets what a module gets, while it is there."""
        loader = make()
        assert loader.offered(Water) is None
        well = drive(loader.load("well"))
        assert loader.offered(Water) is well.water  # type: ignore[union-attr]
        drive(loader.unload("well"))
        assert loader.offered(Water) is None

    def test_says_one_thing_and_does_another(self) -> None:
        """What is declared to be offered must be offered, or the order would be wrong."""
        with pytest.raises(LoadError, match="declares to offer"):
            drive(make().load("liar"))
        assert LIFE == ["start liar", "stop liar"]


class TestLearning:
    """A third party's module that the configuration did not name."""

    def test_learn_and_load(self, path: Path) -> None:
        """It is imported, and known from then on."""
        write(path, "hello")
        server = Server()
        assert server.node.loader.learn("tests_parrot") == ["parrot"]
        server.wait(server.node.loader.load("parrot"))
        assert says(server) == "hello 3"

    @pytest.mark.parametrize(
        ("source", "match"),
        [
            ("1 / 0", "cannot be imported"),
            ("", "holds no xmppd module"),
            (SOURCE.format(word="x", more="").replace('"parrot"', '"ping"'), "both called ping"),
        ],
    )
    def test_no_module(self, path: Path, server: Server, source: str, match: str) -> None:
        """What cannot be one changes nothing."""
        (path / "tests_parrot.py").write_text(source)
        before = dict(server.node.loader.known)
        with pytest.raises(LoadError, match=match):
            server.node.loader.learn("tests_parrot")
        assert server.node.loader.known == before


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
        assert server.wait(server.node.loader.reload("ping")) == ["ping"]
        assert type(server.node.loader.loaded["ping"]) is not type(old)
        client = server.connect("juliet@capulet.example/balcony")
        client.sends("<iq to='capulet.example' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
        client.receives("<iq from='capulet.example' to='juliet@capulet.example/balcony' id='1' type='result'/>")

    def test_options_stay_those_of_the_configuration(self, path: Path) -> None:
        """A module that was reloaded still follows a reload of the configuration, whatever its class is now."""
        write(path, "hello")
        server = Server(load=("tests_parrot",), modules={"parrot": {"size": 5}})
        write(path, "goodbye", more="volume: int = 11")
        server.wait(server.node.loader.reload("parrot"))
        fresh = deepcopy(server.node.config)
        fresh.modules.configs["parrot"] = config_of(server.node.loader.known["parrot"])(size=9)  # type: ignore[misc]
        assert [str(change) for change in adopt(server.node.config, fresh)] == ["modules.parrot.size: 5 -> 9"]
        assert says(server) == "goodbye 9"

    def test_options_of_a_broken_version(self, path: Path) -> None:
        """The old code goes on with its own."""
        write(path, "hello")
        server = Server(load=("tests_parrot",), modules={"parrot": {"size": 5}})
        options = server.node.config.modules.configs["parrot"]
        write(path, "goodbye", more="volume: int = 11\n\nclass Nothing:\n    pass\n")
        with (path / "tests_parrot.py").open("a") as file:
            file.write("\n    async def start(self):\n        raise OSError('no disk')\n")
        with pytest.raises(LoadError, match="the old one goes on"):
            server.wait(server.node.loader.reload("parrot"))
        assert server.node.config.modules.configs["parrot"] is options

    def test_needed_by_others(self, server: Server) -> None:
        """Those that need it are started again with it, each behind its needs; nobody keeps hold of what has gone."""
        loader = server.node.loader
        before = dict(loader.loaded)
        names = server.wait(loader.reload("roster"))
        assert names[0] == "roster"
        assert {"disco", "presence", "last_activity"} <= set(names)
        assert {name for name in before if loader.loaded[name] is not before[name]} == set(names)
        assert set(loader.loaded) == set(before)
        order = list(loader.loaded)
        assert all(order.index("roster") < order.index(name) for name in names[1:])
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.sends("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
        assert juliet.receives_any().get("type") == "result"

    def test_all_come_back(self, path: Path) -> None:
        """What needs it cannot live with the new version: both are what they were, and go on together."""
        write_choir(path, "hello")
        server = Server(load=("tests_choir.parrot", "tests_choir.listener"))
        loader = server.node.loader
        old = type(loader.loaded["parrot"])
        write_choir(path, "shriek")
        with pytest.raises(LoadError, match=r"parrot was not reloaded, the old one goes on: .*my ears"):
            server.wait(loader.reload("parrot"))
        assert type(loader.loaded["parrot"]) is old
        assert loader.loaded["listener"].song is loader.loaded["parrot"].song  # type: ignore[attr-defined]
        write_choir(path, "goodbye")
        assert server.wait(loader.reload("parrot")) == ["parrot", "listener"]
        assert loader.loaded["listener"].song.word == "goodbye"  # type: ignore[attr-defined]

    def test_what_does_not_come_back_is_told(self, path: Path) -> None:
        """The old code itself fails to start again: whoever reloads learns what runs no longer."""
        write_choir(path, "hello")
        server = Server(load=("tests_choir.parrot", "tests_choir.listener"))
        (path / "silence").touch()
        write_choir(path, "shriek")
        with pytest.raises(LoadError, match=r"not reloaded, listener runs no longer \(.*silence.*\): .*"):
            server.wait(server.node.loader.reload("parrot"))
        assert "parrot" in server.node.loader.loaded
        assert "listener" not in server.node.loader.loaded

    def test_not_while_it_is_being_loaded(self, path: Path) -> None:
        """Nor while one of those that need it is."""
        loader = make()
        drive(loader.load_all(["well", "garden"]))
        with loader._changing_alone("garden"), pytest.raises(LoadError, match="garden is being loaded"):
            drive(loader.reload("well"))
        assert set(loader.loaded) == {"well", "garden"}

    def test_options_that_fit(self) -> None:
        """Options of the same class are passed on as they are."""
        options = Options(5)
        assert fitting(options, Options) is options
        assert fitting(options, int) is options


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
