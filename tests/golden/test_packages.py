"""What is packaged: every folder of source is found, those behind the symlinks as well."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_guests_and_migrations_are_reached_through_symlinks() -> None:
    """The two top-level folders are packages of xmppd, under whose name alone they are imported."""
    for name in ("modules", "migrations"):
        link = REPOSITORY / "xmppd" / name

        assert link.is_symlink()
        assert link.resolve() == REPOSITORY / name
        assert link.readlink() == Path("..") / name


def test_every_folder_of_source_is_a_package() -> None:
    """A folder without `__init__.py` would be left out of the wheel, and of every check."""
    folders = [
        Path(folder)
        for folder, _, files in os.walk(REPOSITORY / "xmppd", followlinks=True)
        if any(file.endswith(".py") for file in files)
    ]

    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []
    assert len(folders) > 10
