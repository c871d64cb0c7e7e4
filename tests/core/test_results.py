"""What commands answer, as JSON carries it."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from xmppd.config.quantities import Duration, Size
from xmppd.core.accounts import Role
from xmppd.core.results import Done, Fields, Table, moment, plain, plain_result
from xmppd.protocol.jid import Jid


def test_plain_values_keep_their_kind() -> None:
    """Numbers stay numbers, times become XEP-0082's, the rest text."""
    noon = datetime(2010, 5, 31, 14, 0, 0, 5, timezone(timedelta(hours=2)))
    given = [1, 1.5, True, None, "a", Jid("a@b.example"), Role.ADMIN, noon, Path("x"), ("a",), {"k": Role.USER}]
    assert plain(given) == [
        1, 1.5, True, None, "a", "a@b.example", "admin", "2010-05-31T12:00:00Z", "x", ["a"], {"k": "user"},
    ]  # fmt: skip


def test_plain_text_is_exactly_text() -> None:
    """Subclasses of str do not get into JSON, where an encoder may not know them."""
    assert type(plain(Jid("a@b.example"))) is str


def test_plain_numbers_are_exactly_numbers() -> None:
    """Neither do durations and sizes."""
    assert [type(plain(value)) for value in (Duration("1m"), Size("1kB"), True)] == [float, int, bool]
    assert plain(Duration("1m")) == 60.0


def test_table() -> None:
    """A table has columns, rows, a title and units."""
    assert plain_result(Table(("a", "b"), [[1, None]], "T", {"a": "s"})) == {
        "kind": "table", "columns": ["a", "b"], "rows": [[1, None]], "title": "T", "units": {"a": "s"},
    }  # fmt: skip


def test_fields_and_done() -> None:
    """The other two say which they are."""
    assert plain_result(Fields({"a": 1})) == {"kind": "fields", "values": {"a": 1}, "title": "", "units": {}}
    assert plain_result(Done("done")) == {"kind": "done", "text": "done"}
    assert plain_result(Done("done", {"role": Role.ADMIN})) == {
        "kind": "done", "text": "done", "values": {"role": "admin"},
    }  # fmt: skip


def test_moment() -> None:
    """Seconds since the epoch become a time in UTC; unknown stays unknown."""
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert moment(None) is None
