"""Samples and perf's output become shares of time."""

import pytest

from bench.profiler import area, markdown, parse_perf, perf_views, python_views, short, within
from bench.sampler import NATIVE

PARSER = "/home/me/xmppd/protocol/parser.py:StreamParser.feed"
DRIVE = "/home/me/xmppd/core/drive.py:drive"
DEFER = "/venv/lib/python3.11/site-packages/twisted/internet/defer.py:Deferred.callback"


@pytest.mark.parametrize(
    ("function", "name", "part"),
    [
        (PARSER, "xmppd/protocol/parser.py:StreamParser.feed", "xmppd.protocol"),
        ("/home/me/modules/muc/room.py:Room.join", "modules/muc/room.py:Room.join", "xmppd.modules"),
        (DEFER, "twisted/internet/defer.py:Deferred.callback", "twisted"),
        ("/usr/lib/python3.11/threading.py:Thread.run", "threading.py:Thread.run", "standard library"),
        (NATIVE, NATIVE, NATIVE),
    ],
)
def test_functions_are_named_by_where_they_are_imported_from(function: str, name: str, part: str) -> None:
    """Our packages, what is installed, the standard library, and what is no Python at all."""
    assert short(function) == name
    assert area(function) == part


def test_time_is_the_innermost_functions_own() -> None:
    """What is called counts for its callers only in the view that says so; recursion counts once.

    What calls everything is left out of it.
    """
    entries = [
        {"at": 1.0, "stack": [PARSER, DRIVE, DRIVE, DEFER], "cpu": 2.0},
        {"at": 1.0, "stack": [PARSER, DEFER], "cpu": 1.0},
        {"at": 1.1, "stack": [DRIVE, DEFER], "cpu": 1.0},
    ]
    areas, own, called = python_views(entries)
    assert areas.shares == [("xmppd.protocol", 75.0), ("xmppd.core", 25.0)]
    assert own.shares == [(short(PARSER), 75.0), (short(DRIVE), 25.0)]
    assert sorted(called.shares) == [(short(DRIVE), 75.0), (short(PARSER), 75.0)]


def test_only_the_measured_time_counts() -> None:
    """Slices of the start and of the logins are left out, and those that overlap."""
    entries = [{"at": at, "stack": [], "cpu": 1.0} for at in (0.9, 1.0, 1.5, 1.95)]
    assert [entry["at"] for entry in within(entries, 1.0, 2.0)] == [1.0, 1.5]


def test_perf_output_is_read() -> None:
    """Per cent, object, symbol; headings and blank lines are passed over; the kernel has a name."""
    output = (
        " 12.83% ;lua5.4     ;[.] lua_settop  \n\n# note\n 3.00%  ;[kernel.kallsyms] ;[k] do_syscall\n 1.00% ;;[k] x\n"
    )
    assert parse_perf(output) == [
        (12.83, "lua5.4", "lua_settop"),
        (3.0, "kernel.kallsyms", "do_syscall"),
        (1.0, "kernel", "x"),
    ]


def test_perf_symbols_without_a_name_are_joined() -> None:
    """Addresses in a stripped file say nothing each on its own."""
    objects, symbols = perf_views([(2.0, "lua", "0x01"), (1.0, "lua", "0x02"), (1.0, "libc", "malloc")])
    assert objects.shares == [("lua", 75.0), ("libc", 25.0)]
    assert symbols.shares == [("lua: (no symbol)", 75.0), ("libc: malloc", 25.0)]


def test_the_report_has_a_table_for_each_view() -> None:
    """Headings and shares."""
    text = markdown("Title", perf_views([(1.0, "libc", "malloc")]), ["a note"])
    assert "a note" in text
    assert "| `libc: malloc` | 100.0 % |" in text
