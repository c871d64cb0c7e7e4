"""Lines of the administration socket."""

import pytest

from xmppd.admin.wire import Request, as_error, failure, line, read_answer, read_request
from xmppd.core.commands import CommandError, Exit


def test_request() -> None:
    """A line is a request."""
    given = b'{"id": 7, "command": ["account", "list"], "arguments": {"limit": 3}}'
    assert read_request(given) == Request(7, ["account", "list"], {"limit": 3})
    assert read_request(b'{"describe": true}') == Request(describe=True)
    assert read_request(b'{"id": 7, "cancel": true}') == Request(7, cancel=True)


@pytest.mark.parametrize(
    "given",
    [b"", b"{", b"[]", b"1", b"\xff", b'{"id": "7"}', b'{"command": "status"}', b'{"verb": 1}', b'{"id": null}'],
)
def test_no_request(given: bytes) -> None:
    """What is no request is refused as wrong usage."""
    with pytest.raises(CommandError, match="this is no request") as caught:
        read_request(given)
    assert caught.value.code is Exit.USAGE


def test_line_is_one_line() -> None:
    """Line breaks in values do not break the line."""
    data = line({"text": "a\nb"})
    assert data.count(b"\n") == 1
    assert read_answer(data) == {"text": "a\nb"}


def test_no_answer() -> None:
    """An answer that cannot be read is the server's fault."""
    with pytest.raises(CommandError) as caught:
        read_answer(b"Welcome!\n")
    assert caught.value.code is Exit.INTERNAL


def test_error_travels() -> None:
    """An error arrives as it was raised; an unknown code counts as a plain failure."""
    error = as_error(failure(CommandError("it is broken", "mend it", Exit.UNKNOWN)))
    assert (error.text, error.remedy, error.code) == ("it is broken", "mend it", Exit.UNKNOWN)
    assert as_error({"text": "x", "code": 99}).code is Exit.FAILED
    details = {"problems": [{"option": "hosts"}]}
    assert as_error(failure(CommandError("it is broken", details=details))).details == details
    assert as_error({"text": "x", "code": 1, "details": 7}).details == {}
