"""Quantities that an operator writes with their unit: durations, sizes, file modes and addresses with a password.

Each type is a subclass of the plain value that the code works with, is made from the text of the configuration file,
and prints itself back to text that makes the same value again.
"""

import re
from decimal import Decimal
from typing import Final, Self

_MICROSECONDS: Final = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
_DURATION: Final = re.compile(
    "".join(rf"(?:(?P<{unit}>[0-9]+(?:\.[0-9]+)?) *{unit}(?![a-z]) *)?" for unit in _MICROSECONDS)
)
_LONGEST: Final = 36_525 * 86_400  # a century, in seconds

_BYTES: Final = {
    "TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3,
    "TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10,
    "B": 1,
}  # fmt: skip
_SIZE: Final = re.compile(rf"(?P<number>[0-9]+(?:\.[0-9]+)?) *(?P<unit>{'|'.join(_BYTES)})")
_LARGEST: Final = 2**62

_MODE: Final = re.compile("0?[0-7]{3}")
_PASSWORD: Final = re.compile("://([^:]*):.*@")


class Duration(float):
    """A span of time in seconds, from nothing to a century, exact to the microsecond.

    :param value: seconds, or text such as ``"30s"``, ``"250ms"``, ``"1h30m"`` or ``"2d"``.
    :raises ValueError: the text is no duration, or the value is out of range.
    """

    __slots__ = ()

    def __new__(cls, value: "str | float") -> Self:
        seconds = _seconds(value) if isinstance(value, str) else float(value)
        if not 0 <= seconds <= _LONGEST:
            raise ValueError("a duration is between 0s and 36525d")
        return super().__new__(cls, round(seconds * 1e6) / 1e6)

    def __str__(self) -> str:
        rest = round(float(self) * 1e6)
        parts = []
        for unit, microseconds in list(_MICROSECONDS.items())[:-1]:
            count, rest = divmod(rest, microseconds)
            parts += [f"{count}{unit}"] if count else []
        parts += [f"{_plain(Decimal(rest) / 1000)}ms"] if rest else []
        return "".join(parts) or "0s"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"


class Size(int):
    """A number of bytes.

    :param value: bytes, or text such as ``"10 kB"`` (10 000 bytes) or ``"256 KiB"`` (262 144 bytes).
    :raises ValueError: the text is no size, or the value is negative, not whole or absurd.
    """

    __slots__ = ()

    def __new__(cls, value: "str | int") -> Self:
        size = _bytes(value) if isinstance(value, str) else int(value)
        if not 0 <= size <= _LARGEST:
            raise ValueError("a size is between 0 B and 4194304 TiB")
        return super().__new__(cls, size)

    def __str__(self) -> str:
        number = int(self)
        unit, factor = next((u, f) for u, f in _BYTES.items() if f == 1 or (number and number % f == 0))
        return f"{number // factor} {unit}"

    def __repr__(self) -> str:
        return f"Size({str(self)!r})"


class Mode(int):
    """The permission bits of a file.

    :param value: the bits, or their octal text such as ``"0600"``.
    :raises ValueError: the text is not three octal digits, with or without a leading zero.
    """

    __slots__ = ()

    def __new__(cls, value: "str | int") -> Self:
        if isinstance(value, str) and not _MODE.fullmatch(value):
            raise ValueError('a file mode is three octal digits: write "0600"')
        bits = int(value, 8) if isinstance(value, str) else int(value)
        if not 0 <= bits <= 0o777:
            raise ValueError("a file mode is between 0000 and 0777")
        return super().__new__(cls, bits)

    def __str__(self) -> str:
        return f"{int(self):04o}"

    def __repr__(self) -> str:
        return f"Mode({str(self)!r})"


class Url(str):
    """The address of a service, which may hold a password."""

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        scheme, separator, _ = value.partition("://")
        if not separator or not re.fullmatch("[a-z][a-z0-9+.-]*", scheme):
            raise ValueError('an address starts with its scheme: write "sqlite:///xmppd.sqlite", say')
        return super().__new__(cls, value)

    def without_secrets(self) -> str:
        """Return the address with the password and the query (which may hold one too) blanked."""
        address, question_mark, _ = _PASSWORD.sub(r"://\1:***@", self).partition("?")
        return f"{address}?***" if question_mark else address


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip(" "))
    if not match or not text.strip(" "):
        raise ValueError('a duration is numbers with units d, h, m, s or ms, longest first: write "30s" or "1h30m"')
    counts = match.groupdict(default="0")
    return float(sum(Decimal(counts[unit]) * factor for unit, factor in _MICROSECONDS.items())) / 1e6


def _bytes(text: str) -> int:
    match = _SIZE.fullmatch(text.strip(" "))
    if not match:
        raise ValueError('a size is a number with a unit (B, kB, KiB, MB, MiB, GB, GiB): write "10 kB" or "1 MiB"')
    exact = Decimal(match["number"]) * _BYTES[match["unit"]]
    if exact != exact.to_integral_value():
        raise ValueError("a size is a whole number of bytes")
    return int(exact)


def _plain(number: Decimal) -> str:
    """Return a decimal without an exponent and without trailing zeros."""
    return f"{number.normalize():f}"
