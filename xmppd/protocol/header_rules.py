"""What a stream header must say, and what it tells (RFC 6120, 4.7)."""

import re
from typing import Final

from .errors import StreamError
from .events import StreamStarted
from .names import CLIENT, STREAM, XML_LANG
from .tree import StreamHeader

VERSION: Final = re.compile(r"([0-9]{1,10})\.[0-9]{1,10}").fullmatch
LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*").fullmatch
LONGEST_LANGUAGE: Final = 64  # characters; it is repeated in each stanza that names none of its own


def read_header(header: StreamHeader) -> StreamStarted:
    """Return what a client's stream header tells.

    :raises StreamError: it is none that we can answer.
    """
    if header.name != f"{{{STREAM}}}stream":
        condition = "bad-format" if header.name.startswith(f"{{{STREAM}}}") else "invalid-namespace"
        raise StreamError(condition, "a stream begins with a stream element of the stream namespace")
    if header.default_namespace not in (CLIENT, STREAM, ""):  # the latter two: content has a prefix (4.8.5)
        raise StreamError("invalid-namespace", "the content namespace must be jabber:client")
    attributes = header.attributes
    if not at_least_version_1(attributes.get("version")):
        raise StreamError("unsupported-version", "version 1.0 is required")
    return StreamStarted(attributes.get("to"), language_of(attributes.get(XML_LANG)), attributes.get("from"))


def at_least_version_1(version: str | None) -> bool:
    """Whether the version of a stream header is one we speak; leading zeros mean nothing (RFC 6120, 4.7.5)."""
    match = VERSION(version or "")
    return match is not None and match[1].strip("0") != ""


def language_of(tag: str | None) -> str | None:
    """Return the language that a stream header names, or None if that is no language tag (RFC 5646, 2.1)."""
    return tag if tag and len(tag) <= LONGEST_LANGUAGE and LANGUAGE(tag) else None
