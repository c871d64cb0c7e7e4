"""PRECIS (RFC 8264): the one form in which user names and passwords are compared and stored.

Two profiles are used. *UsernameCaseMapped* (RFC 8265, 3.3) prepares localparts and SCRAM user names; *OpaqueString*
(RFC 8265, 4.2) prepares passwords and resourceparts. Unlike the stringprep profiles that they replace, they refuse
invisible characters (zero-width space, soft hyphen), so no two accounts look the same for that reason.

Text in printable ASCII needs no tables: one regular expression recognises it. Whatever is longer than `LONGEST` is
refused before any work is done, since each character costs a look-up.
"""

import re
from functools import lru_cache
from typing import Final

from precis_i18n import get_profile
from precis_i18n.profile import Profile

LONGEST: Final = 1023
"""The longest text that is prepared, in bytes of UTF-8: the limit of RFC 7622 for each part of an address."""

_USERNAME: Final = get_profile("UsernameCaseMapped:ToLower")
_OPAQUE: Final = get_profile("OpaqueString")

_ascii_username: Final = re.compile(r"[!-~]{1,1023}").fullmatch
_ascii_opaque: Final = re.compile(r"[ -~]{1,1023}").fullmatch


class PrecisError(ValueError):
    """A text is empty, too long or has a character that its profile forbids."""


def username(text: str) -> str:
    """Return `text` as UsernameCaseMapped has it: lower case, no width variants, NFC, the bidi rule kept.

    :raises PrecisError: the text has no such form.
    """
    return text.lower() if _ascii_username(text) else _prepared_username(text)


def opaque(text: str) -> str:
    """Return `text` as OpaqueString has it: any space is U+0020, NFC, case kept.

    Nothing is cached, since passwords pass through here.

    :raises PrecisError: the text has no such form.
    """
    return text if _ascii_opaque(text) else _enforce(_OPAQUE, text)


@lru_cache(maxsize=1024)
def _prepared_username(text: str) -> str:
    return _enforce(_USERNAME, text)


def _enforce(profile: Profile, text: str) -> str:
    """Apply a profile; both what is given and what comes out stay within `LONGEST`."""
    _check_length(text)
    try:
        prepared = profile.enforce(text)
    except ValueError:  # precis-i18n raises UnicodeEncodeError, which quotes what may be a password
        raise PrecisError(f"the profile {profile.name} does not allow this text") from None
    _check_length(prepared)
    return prepared


def _check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise PrecisError(f"more than {LONGEST} bytes")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise PrecisError("a surrogate is no character") from None
    if size > LONGEST:
        raise PrecisError(f"more than {LONGEST} bytes")
