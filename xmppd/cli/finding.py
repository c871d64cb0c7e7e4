"""The configuration of a checkout, found where nobody has named one.

What `make run` has made is at hand in the folder where one stands, or beside the code that one runs. Whoever can write
that file says where the socket is, and so who hears the passwords that are typed: one that belongs to somebody else is
used only if it is named.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..core.results import CommandError, Exit

PLACE: Final = Path("var", "xmppd.toml")
CHECKOUT: Final = Path(__file__).parents[2]
"""Where the code is checked out; of a copy that was installed, a folder without a configuration."""

_OTHERS: Final = 0o022  # the modes by which others could write


def find(folders: Sequence[Path] | None = None) -> Path | None:
    """Return the configuration in the first folder that has one; None if none has.

    :param folders: where to look; by default where we stand, and the checkout.
    :raises CommandError: it is not ours.
    """
    for folder in (Path.cwd(), CHECKOUT) if folders is None else folders:
        file = folder / PLACE
        if file.is_file():
            _refuse_strangers(file)
            return file
    return None


def _refuse_strangers(file: Path) -> None:
    for path in (file, file.parent):
        facts = path.stat()
        if facts.st_uid not in (0, os.geteuid()) or facts.st_mode & _OTHERS:
            raise CommandError(
                f"{path} is in the hands of other users, so it is not used by itself",
                f"if you trust them, name it: --config {file}",
                Exit.REFUSED,
            )
