"""Python code, imported once more while the server runs; and put back if the new version is of no use."""

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType

from .discovery import LoadError, import_source, module_classes
from .module import Module


def fresh(old: type[Module]) -> type[Module]:
    """Return the class that takes the place of `old` in the Python module that defines it, which was forgotten.

    :raises LoadError: that cannot be imported, or holds no such module any more.
    """
    found = {cls.name: cls for cls in module_classes(import_source(old.__module__))}.get(old.name)
    if found is None:
        raise LoadError(f"{old.__module__} holds no module {old.name} any more")
    return found


def forget(name: str) -> dict[str, ModuleType]:
    """Take a Python module and what is below it out of the imported ones; return them.

    An `api` stays: it is what others have imported, and whose types they ask for.
    """
    importlib.invalidate_caches()
    below = [key for key in sys.modules if key == name or key.startswith(f"{name}.")]
    return {key: sys.modules.pop(key) for key in below if not key.endswith(".api")}


def restore(kept: Mapping[str, ModuleType]) -> None:
    """Put Python modules back, where `import` finds them and where their packages hold them."""
    sys.modules.update(kept)
    for name, module in kept.items():
        package, _, last = name.rpartition(".")
        if package in sys.modules:
            setattr(sys.modules[package], last, module)
