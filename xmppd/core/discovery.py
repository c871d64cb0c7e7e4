"""Which modules there are, and what each of them declares: read from their classes, before any of them runs."""

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import typing
from collections.abc import Iterable
from types import ModuleType
from typing import Final

from .module import Module

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
        add(found, module_classes(import_source(name)))
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        add(found, _classes_of_entry_point(point))
    for name in extra:
        classes = module_classes(import_source(name))
        if not classes:
            raise LoadError(f"{name} holds no xmppd module")
        add(found, classes)
    return found


def import_source(name: str) -> ModuleType:
    """Return the Python module of a dotted name; raise `LoadError` if it cannot be imported."""
    try:
        return importlib.import_module(name)
    except Exception as error:  # its own code runs here, and may raise anything
        raise LoadError(f"{name} cannot be imported: {described(error)}") from error


def described(error: Exception) -> str:
    """Return what an operator is told of an exception."""
    return str(error) if isinstance(error, ImportError | LoadError) else f"{type(error).__name__}: {error}"


def exists(name: str) -> bool:
    """Say whether there is a Python module of that dotted name."""
    try:
        return all(part.isidentifier() for part in name.split(".")) and importlib.util.find_spec(name) is not None
    except Exception:  # a package on the way to it is missing, or fails: then it is nothing that could be loaded
        return False


def _classes_of_entry_point(point: importlib.metadata.EntryPoint) -> list[type[Module]]:
    """Return what an entry point names: a module class, or all of a Python module."""
    try:
        named = point.load()
    except Exception as error:
        raise LoadError(f"entry point {point.name} = {point.value} cannot be loaded: {described(error)}") from error
    if isinstance(named, ModuleType):
        classes = module_classes(named)
    else:
        classes = [named] if _is_module_class(named) else []
    if not classes:
        raise LoadError(f"entry point {point.name} = {point.value} holds no xmppd module")
    return classes


def add(found: dict[str, type[Module]], classes: Iterable[type[Module]]) -> None:
    """Add module classes to `found`, by their names; raise `LoadError` for one that cannot be a module."""
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
