"""TOML as we write it is TOML as the standard library reads it."""

import datetime
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.config.quantities import Duration, Mode, Size, Url
from xmppd.config.server import Level
from xmppd.config.toml import key, key_path, literal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@given(VALUES)
def test_a_literal_is_read_back(value: Any) -> None:
    """Whatever the value, on one line."""
    text = literal(value)
    assert len(text.splitlines()) == 1
    assert tomllib.loads(f"x = {text}") == {"x": value}


@given(TEXTS)
def test_a_key_is_read_back(name: str) -> None:
    """Keys are put in quotes where they need them."""
    assert tomllib.loads(f"{key(name)} = 1") == {name: 1}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Duration("90s"), '"1m30s"'),
        (Size("1 MiB"), '"1 MiB"'),
        (Mode("0600"), '"0600"'),
        (Url("sqlite:///x"), '"sqlite:///x"'),
        (Path("/var/lib"), '"/var/lib"'),
        (Level.INFO, '"info"'),
        (datetime.date(2024, 1, 2), "2024-01-02"),
        ((1, 2), "[1, 2]"),
        ({"a b": True}, '{ "a b" = true }'),
        ({}, "{}"),
    ],
)
def test_quantities_paths_and_choices_are_text(value: Any, text: str) -> None:
    """They are written as an operator writes them."""
    assert literal(value) == text


def test_a_key_path_reads_as_people_write_it() -> None:
    """Domains are in quotes, items of a list have their number."""
    assert key_path(("hosts", "example.org", "admins", 0)) == 'hosts."example.org".admins[0]'
    assert key_path(("listeners", 1, "port")) == "listeners[1].port"
    assert key_path(()) == ""
