"""`module`: what runs, and changing it."""

from pathlib import Path

import pytest

from tests.core.parrots import importable, write
from xmppd.core.accounts import Role
from xmppd.core.commands import Caller, CommandError, Exit, Origin
from xmppd.protocol.jid import Jid

from .office import Office


def loaded(office: Office, name: str) -> bool:
    return next(bool(row[1]) for row in office.rows("module list") if row[0] == name)


def test_list(office: Office) -> None:
    """Modules are shown with the specifications that they implement."""
    row = next(row for row in office.rows("module list") if row[0] == "ping")
    assert row[:3] == ["ping", True, ["XEP-0199"]]
    assert str(row[3]).startswith("Answers pings to the server and to accounts")


def test_unload_and_load(office: Office) -> None:
    """A module goes and comes back while the server runs."""
    office.run("module unload", name="ping")
    assert not loaded(office, "ping")
    office.run("module load", name="ping")
    assert loaded(office, "ping")


def test_reload(office: Office) -> None:
    """A module is replaced by what its file says now."""
    before = office.server.node.loader.loaded["ping"]
    assert office.run("module reload", name="ping").text == "ping is reloaded"
    assert office.server.node.loader.loaded["ping"] is not before


def test_reload_with_what_needs_it(office: Office) -> None:
    """Those that were started again are told."""
    done = office.run("module reload", name="roster")
    assert done.text.startswith("roster is reloaded; started again: ")
    assert done.values["reloaded"][0] == "roster"
    assert "presence" in done.values["reloaded"]


def test_a_module_of_somebody_else(office: Office, tmp_path: Path) -> None:
    """It is loaded by its dotted name, and goes by its own name from then on."""
    with importable(tmp_path):
        write(tmp_path, "hello", name="tests_parrot")
        assert office.run("module load", name="tests_parrot").values == {"loaded": ["parrot"]}
        assert loaded(office, "parrot")
        office.run("module unload", name="parrot")
        assert not loaded(office, "parrot")
        office.run("module load", name="parrot")


def test_code_is_no_module(office: Office) -> None:
    """What can be imported and holds no module is told."""
    with pytest.raises(CommandError, match="json holds no xmppd module"):
        office.run("module load", name="json")


def test_code_is_not_loaded_from_afar(office: Office, tmp_path: Path) -> None:
    """An administrator's client cannot have any code of the machine run."""
    office.server.account("admin@montague.example", role=Role.ADMIN)
    for host in office.server.node.hosts.all():
        host.admins = frozenset({Jid("admin@montague.example")})
    caller = Caller(Origin.ADHOC, Jid("admin@montague.example"))
    with importable(tmp_path):
        (tmp_path / "tests_parrot.py").write_text("1 / 0")
        with pytest.raises(CommandError) as caught:
            office.run("module load", name="tests_parrot", caller=caller)
    assert caught.value.code is Exit.REFUSED


def test_loaded_twice(office: Office) -> None:
    """What the loader refuses is told."""
    with pytest.raises(CommandError, match="loaded already"):
        office.run("module load", name="ping")


@pytest.mark.parametrize("verb", ["load", "unload", "reload"])
def test_unknown_module(office: Office, verb: str) -> None:
    """A typing mistake is answered with the nearest name."""
    with pytest.raises(CommandError) as caught:
        office.run(f"module {verb}", name="pong")
    assert caught.value.code is Exit.UNKNOWN
    assert caught.value.remedy == "did you mean ping?"
    with pytest.raises(CommandError) as caught:
        office.run(f"module {verb}", name="zzzzzz")
    assert "module list" in caught.value.remedy
