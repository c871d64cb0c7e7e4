"""The rooms and their doors: import-linter's contracts hold, and each of them would notice a breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

REPOSITORY = Path(__file__).parents[2]
NO_IO_CLOCK_OR_LOG = {"asyncio", "logging", "selectors", "socket", "ssl", "subprocess", "threading", "time"}
VAULT_MAY_IMPORT = (sys.stdlib_module_names - NO_IO_CLOCK_OR_LOG) | {"precis_i18n", "idna", "xmppd"}

BREACHES = {
    "the protocol has no loop": ("protocol/names.py", "import asyncio"),
    "the protocol knows no Twisted": ("protocol/names.py", "from twisted.internet import defer"),
    "the protocol keeps no log": ("protocol/names.py", "import logging"),
    "the protocol knows no core": ("protocol/names.py", "from xmppd.core import clock"),
    "configuration imports nothing of ours": ("config/__init__.py", "from xmppd.protocol import names"),
    "the core knows no wing": ("core/clock.py", "import xmppd.storage"),
    "the core knows no module": ("core/clock.py", "import xmppd.modules"),
    "wings are blind to each other": ("transport/__init__.py", "import xmppd.storage"),
    "wings know no module": ("storage/__init__.py", "import xmppd.modules"),
    "modules know no wing": ("modules/breach.py", "import xmppd.storage"),
    "nothing imports the front door": ("admin/__init__.py", "import xmppd.app"),
    "nothing imports the command line": ("modules/breach.py", "import xmppd.cli"),
    "modules know each other only by their api": ("modules/breach.py", "from xmppd.modules.guest import rooms"),
    "every new room is on the plan": ("cellar.py", "import sys"),
}
PERMITTED = {
    "a module may use another's api": ("modules/breach.py", "from xmppd.modules.guest import api"),
    "the command line may import all": ("cli/__init__.py", "import xmppd.app, xmppd.modules, xmppd.storage"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the package in `folder`."""
    command = (Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", REPOSITORY / "setup.cfg")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house, with the symlinks followed and one more guest: a module that has an api."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(REPOSITORY / "xmppd", folder / "xmppd", ignore=shutil.ignore_patterns("__pycache__"))
    guest = folder / "xmppd" / "modules" / "guest"
    guest.mkdir()
    for name in ("__init__", "api", "rooms"):
        (guest / f"{name}.py").write_text('"""A guest."""\n')
    (guest.parent / "__init__.py").touch()
    return folder


def lint_with(house: Path, where: str, line: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the house with one more line in one file, and take it out again."""
    path = house / "xmppd" / where
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        return lint(house)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)


def test_contracts_hold() -> None:
    """Every room imports only what it may."""
    done = lint(REPOSITORY)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("where", "line"), BREACHES.values(), ids=BREACHES.keys())
def test_breach_is_noticed(house: Path, where: str, line: str) -> None:
    """One import too many breaks a contract."""
    done = lint_with(house, where, line)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout or "not listed as layers" in done.stdout, done.stdout


@pytest.mark.parametrize(("where", "line"), PERMITTED.values(), ids=PERMITTED.keys())
def test_open_doors_are_open(house: Path, where: str, line: str) -> None:
    """What the plan allows breaks nothing."""
    done = lint_with(house, where, line)

    assert done.returncode == 0, done.stdout + done.stderr


def test_protocol_imports_nothing_but_the_standard_library_precis_and_idna() -> None:
    """The vault's imports, one by one: what is not on the list is not there."""
    graph = grimp.build_graph("xmppd", include_external_packages=True, cache_dir=None)
    vault = {"xmppd.protocol", *graph.find_descendants("xmppd.protocol")}
    imported = {each for room in vault for each in graph.find_modules_directly_imported_by(room)}

    assert {each.split(".")[0] for each in imported} <= VAULT_MAY_IMPORT
