"""Find, order, inject, bind, unbind and reload modules.

A need is a field: the loader gives the field what is registered for its type, be it something of the core or what
another module offers. The field `config` is given the module's own options, a field of a `Metrics` class new metrics
that are shown under the module's name. A need that nobody provides is an error when the module is loaded. Modules that
offer something are loaded before those that need it, and unloaded behind them.
"""

import dataclasses
import importlib
import importlib.metadata
import pkgutil
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from .commands import Registry
from .hooks import Hooks
from .iq import Iqs
from .log import Log
from .metrics import Exposition, Metrics
from .module import Module

log = Log("modules")
ENTRY_POINTS: Final = "xmppd.modules"


class LoadError(Exception):
    """A module cannot be loaded or unloaded; the text says why and what to do."""


def discover(package: ModuleType, extra: Iterable[str] = ()) -> dict[str, type[Module]]:
    """Return all modules of a package, of the entry points and of the dotted names `extra`, by their names.

    :raises LoadError: a name cannot be imported, holds no module, or two modules have one name.
    """
    found: dict[str, type[Module]] = {}
    names = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    for name in names:
        _add(found, module_classes(_import(name)))
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        _add(found, _classes_of_entry_point(point))
    for name in extra:
        classes = module_classes(_import(name))
        if not classes:
            raise LoadError(f"{name} holds no xmppd module")
        _add(found, classes)
    return found


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # its own code runs here, and may raise anything
        raise LoadError(f"{name} cannot be imported: {_described(error)}") from error


def _described(error: Exception) -> str:
    return str(error) if isinstance(error, ImportError | LoadError) else f"{type(error).__name__}: {error}"


def _classes_of_entry_point(point: importlib.metadata.EntryPoint) -> list[type[Module]]:
    """Return what an entry point names: a module class, or all of a Python module."""
    try:
        named = point.load()
    except Exception as error:
        raise LoadError(f"entry point {point.name} = {point.value} cannot be loaded: {_described(error)}") from error
    if isinstance(named, ModuleType):
        classes = module_classes(named)
    else:
        classes = [named] if _is_module_class(named) else []
    if not classes:
        raise LoadError(f"entry point {point.name} = {point.value} holds no xmppd module")
    return classes


def _add(found: dict[str, type[Module]], classes: Iterable[type[Module]]) -> None:
    for cls in classes:
        if not dataclasses.is_dataclass(cls):
            raise LoadError(f"{cls.__module__}.{cls.__qualname__} is no dataclass")
        if found.setdefault(cls.name, cls) is not cls:
            raise LoadError(f"{cls.__module__} and {found[cls.name].__module__} are both called {cls.name}")


def module_classes(source: ModuleType) -> list[type[Module]]:
    """Return the module classes that a Python module defines."""
    return [
        value
        for value in vars(source).values()
        if _is_module_class(value) and f"{value.__module__}.".startswith(f"{source.__name__}.")
    ]


def _is_module_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Module) and hasattr(value, "name")


def needs_of(cls: type[Module]) -> dict[str, type]:
    """Return a module's needs: the type of each field."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]


def config_of(cls: type[Module]) -> type | None:
    """Return the dataclass of a module's options, or None if it has none."""
    return needs_of(cls).get("config")


def offers_of(cls: type[Module]) -> tuple[type, ...]:
    """Return the types a module class declares to offer."""
    return tuple(getattr(cls, "offered", ()))


class Loader:
    """The modules of this server.

    :param provided: what fields may ask for, by type.
    :param known: every module that can be loaded, by name (see `discover`).
    :param configs: the options of modules, by name; one without gets its defaults.
    """

    def __init__(
        self,
        hooks: Hooks,
        iqs: Iqs,
        registry: Registry,
        provided: Mapping[type, Any],
        known: Mapping[str, type[Module]],
        configs: Mapping[str, Any],
    ) -> None:
        self._hooks = hooks
        self._iqs = iqs
        self._registry = registry
        self._provided: dict[type, Any] = dict(provided)
        self._provided[Loader] = self
        self.known = dict(known)
        self._configs = configs
        self._exposition: Exposition | None = self._provided.get(Exposition)
        self._shown: set[str] = set()  # modules whose metrics are shown
        self._loaded: dict[str, Module] = {}
        self._changing: set[str] = set()  # modules that are being loaded or unloaded

    @property
    def loaded(self) -> Mapping[str, Module]:
        """The modules that run, by name, in the order in which they were loaded."""
        return self._loaded

    async def load_all(self, names: Iterable[str]) -> None:
        """Load modules, each behind those that it needs."""
        for name in self.ordered(names):
            await self.load(name)

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Return `names` so that what is needed comes first.

        :raises LoadError: a name is not known, or modules need each other in a circle.
        """
        wanted = list(names)
        for name in wanted:
            if name not in self.known:
                raise LoadError(f"there is no module {name}")
        makers: dict[type, str] = {}
        for name in wanted:
            for offered in offers_of(self.known[name]):
                if makers.setdefault(offered, name) != name:
                    raise LoadError(f"modules {makers[offered]} and {name} both offer {offered.__name__}")
        order: list[str] = []
        path: list[str] = []

        def visit(name: str) -> None:
            if name in order:
                return
            if name in path:
                raise LoadError(f"modules need each other in a circle: {' -> '.join([*path, name])}")
            path.append(name)
            for need in needs_of(self.known[name]).values():
                if need in makers and makers[need] != name:
                    visit(makers[need])
            path.pop()
            order.append(name)

        for name in sorted(wanted):
            visit(name)
        return order

    async def load(self, name: str) -> Module:
        """Make, start and bind one module.

        :raises LoadError: it runs already, is not known, needs what nobody provides, offers what another one offers,
            or fails to start.
        """
        if name in self._loaded:
            raise LoadError(f"{name} is loaded already")
        cls = self.known.get(name)
        if cls is None:
            raise LoadError(f"there is no module {name}")
        with self._changing_alone(name):
            return await self._load(name, cls)

    @contextmanager
    def _changing_alone(self, name: str) -> Iterator[None]:
        """Let nobody else load or unload a module while that waits."""
        if name in self._changing:
            raise LoadError(f"{name} is being loaded or unloaded")
        self._changing.add(name)
        try:
            yield
        finally:
            self._changing.discard(name)

    async def _load(self, name: str, cls: type[Module]) -> Module:
        needs = {field: self._need(cls, field, need) for field, need in needs_of(cls).items()}
        for offered in offers_of(cls):
            if offered in self._provided:
                raise LoadError(f"module {name} offers {offered.__name__}, which is there already")
        try:
            module = cls(**needs)
            await module.start()
        except Exception as error:
            log.failure("module {name} failed to start", error, name=name)
            raise LoadError(f"module {name} failed to start: {_described(error)}") from error
        try:
            self._bind(name, module)
        except Exception:
            self._unbind(name)
            await self._stop(name, module)
            raise
        self._provided.update(module.offers())
        self._loaded[name] = module
        return module

    def _need(self, cls: type[Module], field: str, need: Any) -> Any:
        if field == "config":
            config = self._configs.get(cls.name)
            return need() if config is None else fitting(config, need)
        if isinstance(need, type) and issubclass(need, Metrics) and need not in self._provided:
            return need()
        try:
            return self._provided[need]
        except KeyError:
            raise LoadError(
                f"module {cls.name} needs {getattr(need, '__name__', need)}, which nothing that is loaded provides"
            ) from None

    def _bind(self, name: str, module: Module) -> None:
        offered = offers_of(type(module))
        if set(offered) != set(module.offers()):
            raise LoadError(f"module {name} declares to offer {offered}, but offers {tuple(module.offers())}")
        try:
            self._iqs.bind(name, module)
            self._registry.register(name, module)
            self._hooks.bind(name, module)
            self._show_metrics(name, module)
        except Exception as error:
            raise LoadError(f"module {name} cannot be loaded: {error}") from error

    def _show_metrics(self, name: str, module: Module) -> None:
        """Show what the module counts under its name."""
        if self._exposition is not None:
            for field in needs_of(type(module)):
                if isinstance(metrics := getattr(module, field), Metrics):
                    self._exposition.register(name, metrics)
                    self._shown.add(name)

    def _unbind(self, name: str) -> None:
        if self._exposition is not None and name in self._shown:  # or the name may be somebody else's
            self._shown.remove(name)
            self._exposition.unregister(name)
        self._hooks.unbind(name)
        self._iqs.unbind(name)
        self._registry.unregister(name)

    async def unload(self, name: str) -> None:
        """Unbind and stop one module.

        :raises LoadError: it does not run, or another one needs it.
        """
        module = self._loaded.get(name)
        if module is None:
            raise LoadError(f"{name} is not loaded")
        offered = set(offers_of(type(module)))
        for other, instance in self._loaded.items():
            if other != name and offered & set(needs_of(type(instance)).values()):
                raise LoadError(f"{name} cannot be unloaded: {other} needs it")
        with self._changing_alone(name):
            self._unbind(name)
            del self._loaded[name]
            for kind in offered:
                self._provided.pop(kind, None)
            await self._stop(name, module)

    async def _stop(self, name: str, module: Module) -> None:
        """Stop a module that is unbound already: it is gone, however that ends."""
        try:
            await module.stop()
        except Exception as error:
            log.failure("module {name} failed to stop", error, name=name)

    async def reload(self, name: str) -> Module:
        """Import a module's code again and let it take over; the old one stays if the new one is broken."""
        if name not in self._loaded:
            raise LoadError(f"{name} is not loaded")
        old = self.known[name]
        kept = _forget(old.__module__)
        try:
            fresh = {cls.name: cls for cls in module_classes(_import(old.__module__))}.get(name)
            if fresh is None:
                raise LoadError(f"{old.__module__} holds no module {name} any more")
            self.known[name] = fresh
            await self.unload(name)
            return await self.load(name)
        except Exception as error:
            _forget(old.__module__)
            _restore(kept)
            self.known[name] = old
            if name not in self._loaded:
                await self.load(name)
            raise LoadError(f"{name} was not reloaded, the old one goes on: {_described(error)}") from error

    async def stop_all(self) -> None:
        """Stop all modules, the last first."""
        for name in reversed(list(self._loaded)):
            module = self._loaded.pop(name)
            self._unbind(name)
            await self._stop(name, module)


def fitting(config: Any, cls: type) -> Any:
    """Return options as an object of `cls`, which a module that was reloaded may have declared anew."""
    if type(config) is cls or not dataclasses.is_dataclass(cls):
        return config
    return cls(
        **{field.name: getattr(config, field.name) for field in dataclasses.fields(cls) if hasattr(config, field.name)}
    )


def _forget(name: str) -> dict[str, ModuleType]:
    """Take a Python module and what is below it out of the imported ones; return them.

    An `api` stays: it is what others have imported, and whose types they ask for.
    """
    importlib.invalidate_caches()
    below = [key for key in sys.modules if key == name or key.startswith(f"{name}.")]
    return {key: sys.modules.pop(key) for key in below if not key.endswith(".api")}


def _restore(kept: Mapping[str, ModuleType]) -> None:
    """Put Python modules back, where `import` finds them and where their packages hold them."""
    sys.modules.update(kept)
    for name, module in kept.items():
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            setattr(sys.modules[package], last, module)
