"""Problems: one line each, with the file, the key, the value and the remedy."""

import pytest

from xmppd.config.problems import ConfigError, Problem, nearest


def test_a_problem_is_one_line() -> None:
    """File, key path, value and text, even if the value has line breaks or is long."""
    assert str(Problem("x.toml", ("limits", "depth"), "must be 8 to 1024", 0)) == (
        "x.toml: limits.depth = 0: must be 8 to 1024"
    )
    assert str(Problem("x.toml", (), "is a folder")) == "x.toml: is a folder"
    assert str(Problem("x.toml", ("a",), "no", "one\ntwo")) == 'x.toml: a = "one\\ntwo": no'
    long = str(Problem("x.toml", ("a",), "no", "y" * 1000))
    assert len(long) < 250 and "yyy...: no" in long


def test_an_error_has_all_problems() -> None:
    """One line each, as an object and as text."""
    problems = [Problem("x", ("a",), "b"), Problem("x", ("c",), "d")]
    error = ConfigError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == "x: a: b\nx: c: d"


@pytest.mark.parametrize(
    ("key", "known", "remedy"),
    [
        ("page_sizes", ["page_size", "name"], 'did you mean "page_size"?'),
        ("Page-Size", ["page_size", "name"], 'did you mean "page_size"?'),
        ("zzz", ["b", "a"], "known are a, b"),
        ("zzz", [f"option{number}" for number in range(9)], "conf/xmppd.toml lists what there is"),
        ("zzz", [], "there is nothing to set here: remove it"),
    ],
)
def test_an_unknown_name_has_a_remedy(key: str, known: list[str], remedy: str) -> None:
    """The nearest name, or what there is."""
    assert nearest(key, known) == remedy
