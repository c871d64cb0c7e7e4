"""The rest of a long tag that is not whole yet.

expat scans an unfinished tag anew with each piece of it (CVE-2023-52425): a tag of 256 KiB sent in single bytes would
cost tens of seconds. Here each byte is looked at once, for the one thing that matters: whether the tag ends in it.
"""

import re
from typing import Final

PIECE: Final = re.compile(rb"""[^>"']*([>"'])""")


class HeldTag:
    """The bytes behind the start of an unfinished tag, until its end.

    :param begun: the tag as far as expat has it already.
    """

    __slots__ = ("_bytes", "_quote")

    def __init__(self, begun: bytes) -> None:
        self._bytes = bytearray()  # a list of small pieces would take many times their size
        self._quote = b""
        self._ends_in(begun)

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return len(self._bytes)

    def add(self, data: bytes) -> bytes | None:
        """Keep `data`; return all that was kept if the tag's end is in it."""
        self._bytes += data
        return bytes(self._bytes) if self._ends_in(data) else None

    def _ends_in(self, data: bytes) -> bool:
        position = 0
        while True:
            if self._quote:
                position = data.find(self._quote, position) + 1
                if not position:
                    return False
                self._quote = b""
            piece = PIECE.match(data, position)
            if piece is None:
                return False
            position = piece.end()
            if piece[1] == b">":
                return True
            self._quote = piece[1]
