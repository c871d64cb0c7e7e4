"""Python code, imported once more."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from xmppd.core.discovery import LoadError, module_classes
from xmppd.core.recoding import forget, fresh, restore

from .parrots import importable, write, write_choir


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A folder that Python imports from."""
    with importable(tmp_path) as folder:
        yield folder


def test_fresh(path: Path) -> None:
    """Once its code is forgotten a module is read from its file."""
    write(path, "hello")
    old = module_classes(importlib.import_module("tests_parrot"))[0]
    assert fresh(old) is old
    forget("tests_parrot")
    assert fresh(old) is not old
    (path / "tests_parrot.py").write_text("# no parrot")
    forget("tests_parrot")
    with pytest.raises(LoadError, match="holds no module parrot any more"):
        fresh(old)


def test_api_stays(path: Path) -> None:
    """Others hold its types, and go on asking for them."""
    write_choir(path, "hello")
    parrot = importlib.import_module("tests_choir.parrot")
    api = sys.modules["tests_choir.api"]
    kept = forget("tests_choir")
    assert set(kept) == {"tests_choir", "tests_choir.parrot"}
    assert sys.modules["tests_choir.api"] is api
    restore(kept)
    assert importlib.import_module("tests_choir.parrot") is parrot
    assert sys.modules["tests_choir"].parrot is parrot
