"""Order, inject, bind, unbind and reload modules (`discovery` finds them).

A need is a field: the loader gives the field what is registered for its type, be it something of the core or what
another module offers. The field `config` is given the module's own options, a field of a `Metrics` class new metrics
that are shown under the module's name. A need that nobody provides is an error when the module is loaded. Modules that
offer something are loaded before those that need it, and unloaded behind them.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar

from .commands import Registry
from .discovery import LoadError, add, described, import_source, module_classes, needs_of, offers_of
from .hooks import Hooks
from .iq import Iqs
from .log import Log
from .metrics import Exposition, Metrics
from .module import Module
from .recoding import forget, fresh, restore

log = Log("modules")
T = TypeVar("T")


class Loader:
    """The modules of this server.

    :param provided: what fields may ask for, by type.
    :param known: every module that can be loaded, by name (see `discover`).
    :param configs: the options of modules, by name, live; one without gets its defaults. Those of a module that was
        reloaded are put there in its new form.
    """

    def __init__(
        self,
        hooks: Hooks,
        iqs: Iqs,
        registry: Registry,
        provided: Mapping[type, Any],
        known: Mapping[str, type[Module]],
        configs: MutableMapping[str, Any],
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

    def offered(self, kind: type[T]) -> T | None:
        """Return what a running module offers, or the core provides, for a type; None if nobody does."""
        found: T | None = self._provided.get(kind)
        return found

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
        makers = self._makers(wanted)
        order: list[str] = []

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise LoadError(f"modules need each other in a circle: {' -> '.join([*path, name])}")
            if name not in order:
                for need in needs_of(self.known[name]).values():
                    if makers.get(need, name) != name:
                        visit(makers[need], (*path, name))
                order.append(name)

        for name in sorted(wanted):
            visit(name, ())
        return order

    def _makers(self, names: Iterable[str]) -> dict[type, str]:
        """Return which of these modules offers what; raise `LoadError` if two offer the same."""
        makers: dict[type, str] = {}
        for name in names:
            for offered in offers_of(self.known[name]):
                if makers.setdefault(offered, name) != name:
                    raise LoadError(f"modules {makers[offered]} and {name} both offer {offered.__name__}")
        return makers

    async def load(self, name: str) -> Module:
        """Make, start and bind one module.

        :raises LoadError: it runs already, is not known, needs what nobody provides, offers what another one offers,
            or fails to start.
        """
        if name in self._loaded:
            raise LoadError(f"{name} is loaded already")
        if name not in self.known:
            raise LoadError(f"there is no module {name}")
        with self._changing_alone(name):
            return await self._load(name)

    def learn(self, dotted_name: str) -> list[str]:
        """Make known what modules a dotted name holds; return their names.

        :raises LoadError: it cannot be imported, holds no module, or one that is called like another.
        """
        found, classes = dict(self.known), module_classes(import_source(dotted_name))
        if not classes:
            raise LoadError(f"{dotted_name} holds no xmppd module")
        add(found, classes)
        self.known.update(found)
        return [cls.name for cls in classes]

    @contextmanager
    def _changing_alone(self, *names: str) -> Iterator[None]:
        """Let nobody else load or unload these modules while that waits."""
        for name in names:
            if name in self._changing:
                raise LoadError(f"{name} is being loaded or unloaded")
        self._changing.update(names)
        try:
            yield
        finally:
            self._changing.difference_update(names)

    async def _load(self, name: str) -> Module:
        cls = self.known[name]
        needs = {field: self._need(cls, field, need) for field, need in needs_of(cls).items()}
        for offered in offers_of(cls):
            if offered in self._provided:
                raise LoadError(f"module {name} offers {offered.__name__}, which is there already")
        try:
            module = cls(**needs)
            await module.start()
        except Exception as error:
            log.failure("module {name} failed to start", error, name=name)
            raise LoadError(f"module {name} failed to start: {described(error)}") from error
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
            return self._config(cls.name, need)
        if isinstance(need, type) and issubclass(need, Metrics) and need not in self._provided:
            return need()
        try:
            return self._provided[need]
        except KeyError:
            raise LoadError(
                f"module {cls.name} needs {getattr(need, '__name__', need)}, which nothing that is loaded provides"
            ) from None

    def _config(self, name: str, need: Any) -> Any:
        """Return a module's options, which are kept where a reload of the configuration will change them."""
        config = self._configs.get(name)
        if config is None:
            return need()
        self._configs[name] = fitting(config, need)
        return self._configs[name]

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
        for other in self.dependents(name):
            raise LoadError(f"{name} cannot be unloaded: {other} needs it")
        with self._changing_alone(name):
            await self._unload(name)

    def dependents(self, name: str) -> list[str]:
        """Return the modules that need a running one, directly or by others, in the order in which they were loaded.

        :raises LoadError: it does not run.
        """
        if name not in self._loaded:
            raise LoadError(f"{name} is not loaded")
        offered, found = set(offers_of(type(self._loaded[name]))), []
        for other, module in self._loaded.items():
            if other != name and offered & set(needs_of(type(module)).values()):
                found.append(other)
                offered.update(offers_of(type(module)))
        return found

    async def _unload(self, name: str) -> None:
        self._unbind(name)
        module = self._loaded.pop(name)
        for kind in offers_of(type(module)):
            self._provided.pop(kind, None)
        await self._stop(name, module)

    async def _stop(self, name: str, module: Module) -> None:
        """Stop a module that is unbound already: it is gone, however that ends."""
        try:
            await module.stop()
        except Exception as error:
            log.failure("module {name} failed to stop", error, name=name)

    async def reload(self, name: str) -> list[str]:
        """Import a module's code again and let it take over; start those that need it again, each behind its needs.

        :return: all that were started again.
        :raises LoadError: it does not run, or something failed; then everything is as it was.
        """
        names = [name, *self.dependents(name)]
        with self._changing_alone(*names):
            await self._reload(names)
        return names

    async def _reload(self, names: list[str]) -> None:
        """Reload the first and start the others again."""
        name = names[0]
        old, config, code = self.known[name], self._configs.get(name), forget(self.known[name].__module__)
        try:
            self.known[name] = fresh(old)
            await self._restart(names)
        except Exception as error:
            forget(old.__module__)
            restore(code)
            self.known[name] = old
            if config is not None:
                self._configs[name] = config
            fate = await self._revive(names)
            raise LoadError(f"{name} was not reloaded, {fate}: {described(error)}") from error

    async def _restart(self, names: list[str]) -> None:
        for name in reversed(names):
            await self._unload(name)
        for name in names:
            await self._load(name)

    async def _revive(self, names: list[str]) -> str:
        """Let the old code run again, of what does not any more; return what became of it."""
        if all(type(self._loaded.get(name)) is self.known[name] for name in names):
            return "the old one goes on"
        for name in reversed([name for name in names if name in self._loaded]):
            await self._unload(name)
        lost = []
        for name in names:
            try:
                await self._load(name)
            except LoadError as error:
                lost.append(f"{name} runs no longer ({error})")
        return ", ".join(lost) or "the old one goes on"

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
