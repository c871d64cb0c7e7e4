"""What a parameter of an administrative command takes: apart, so that a front end need not import what converts it."""

from enum import StrEnum


class Kind(StrEnum):
    """What a parameter takes."""

    TEXT = "text"
    JID = "jid"
    INTEGER = "integer"
    NUMBER = "number"
    SWITCH = "switch"
    DURATION = "duration"
    CHOICE = "choice"
    SECRET = "secret"  # noqa: S105  # a word, no password
    DOCUMENT = "document"
