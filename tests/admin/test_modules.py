"""`module`: what runs, and changing it."""

import pytest

from xmppd.core.commands import CommandError, Exit

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
