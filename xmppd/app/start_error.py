"""Why a server cannot start, in one line that says what to do about it."""


class StartError(Exception):
    """The server cannot start; the text is one line that says why and what to do."""
