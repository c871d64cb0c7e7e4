"""Names as expat tells them: translated, remembered within bounds, and told apart by their prefixes."""

from xml.parsers import expat

import pytest

from xmppd.protocol import qualified
from xmppd.protocol.qualified import SEPARATOR, clark, has_prefix, named, uses_prefix

XML_LANG = "http://www.w3.org/XML/1998/namespace}lang}xml"


@pytest.mark.parametrize(
    ("expat_name", "name"),
    [
        ("a", "a"),
        ("urn:x}a", "{urn:x}a"),
        ("urn:x}a}p", "{urn:x}a"),
        ("{urn:x}a", "{{urn:x}a"),
        ("}a", "{}a"),
        (XML_LANG, "{http://www.w3.org/XML/1998/namespace}lang"),
    ],
)
def test_clark(expat_name: str, name: str) -> None:
    """Names in James Clark's notation; the prefix is dropped, and a brace in a namespace imitates nothing."""
    assert clark(expat_name) == name


def test_equal_names_are_one_object() -> None:
    """What is remembered is returned as it is."""
    assert clark("urn:x}" + "b" * 10) is clark("urn:x}" + "b" * 10)


def test_names_are_remembered_within_bounds() -> None:
    """Whoever sends ever new names, or long ones, fills no memory; what is in use stays."""
    cache = qualified._Cache()
    for number in range(3 * qualified._GENERATION):
        assert cache[f"urn:x}}n{number}"] == f"{{urn:x}}n{number}"
        assert cache["urn:x}kept"] == "{urn:x}kept"
        assert len(cache) + len(cache._old) <= 2 * qualified._GENERATION
    assert "urn:x}kept" in cache
    assert "urn:x}n0" not in cache
    long = "urn:x}" + "n" * qualified._CACHED_LENGTH
    assert cache[long] == "{" + long
    assert long not in cache


def test_attributes() -> None:
    """Attributes without a namespace stay the dict they are."""
    plain = {"to": "a", "id": "b"}
    assert named(plain) is plain
    assert named({"to": "a", "urn:p}b}p": "1"}) == {"to": "a", "{urn:p}b": "1"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", False), ("urn:x}a", False), ("urn:x}xml", False), ("urn:x}a}p", True), (XML_LANG, False)],
)
def test_prefixes(name: str, expected: bool) -> None:
    """The prefix of XML itself means the same everywhere, others what somebody has bound them to."""
    assert has_prefix(name) == expected


def test_prefixes_in_content() -> None:
    """They may be on elements and on attributes; character data has none, whatever it looks like."""
    assert not uses_prefix((1, "urn:x}a", {"b": "c}d}e"}, 2, None, "urn:x}a}p"))
    assert uses_prefix((1, "urn:x}a}p", {}))
    assert uses_prefix((1, "urn:x}a", {"urn:x}b}p": "1"}))
    assert not uses_prefix((1, "urn:x}a", {XML_LANG: "en"}))


def test_no_namespace_has_the_separator() -> None:
    """expat refuses it, so a name has only one reading."""
    reader = expat.ParserCreate("utf-8", SEPARATOR)
    with pytest.raises(expat.ExpatError):
        reader.Parse(b"<a xmlns='urn:x}b'/>", True)
