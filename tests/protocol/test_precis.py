"""PRECIS profiles: RFC 8264, 8265 and 8266."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppd.protocol.precis import LONGEST, PrecisError, opaque, username

ZERO_WIDTH_SPACE = "\u200b"
SOFT_HYPHEN = "\u00ad"
FULLWIDTH_JULIET = "\uff2a\uff35\uff2c\uff29\uff25\uff34"


@pytest.mark.parametrize(
    ("given_text", "prepared"),
    [
        ("juliet@example.com", "juliet@example.com"),
        ("Juliet", "juliet"),
        ("fussball", "fussball"),
        ("fu\u00dfball", "fu\u00dfball"),
        ("\u03c0", "\u03c0"),
        ("\u03a3", "\u03c3"),
        (FULLWIDTH_JULIET, "juliet"),
        ("e\u0301", "\u00e9"),
        ("\u05d0\u05d1", "\u05d0\u05d1"),
    ],
)
def test_username_maps_case_width_and_composition(given_text: str, prepared: str) -> None:
    """RFC 8265, 3.3 and the examples of 3.5."""
    assert username(given_text) == prepared


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo bar",
        "henry\u2163",
        "\u265a",
        "a\x00b",
        "a\x7f",
        f"juliet{ZERO_WIDTH_SPACE}",
        f"ju{SOFT_HYPHEN}liet",
        "\ud800",
        "\u0661\u05d0",
        "\u05d0a",
        "a\u2066",
        "\ufdd0",
        "\U000e0041",
    ],
)
def test_username_refuses_what_identifiers_may_not_have(text: str) -> None:
    """RFC 8265, 3.5: spaces, compatibility characters, symbols, controls, invisibles and broken bidi are refused."""
    with pytest.raises(PrecisError):
        username(text)


@pytest.mark.parametrize(
    ("given_text", "prepared"),
    [
        ("correct horse battery staple", "correct horse battery staple"),
        ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
        ("\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"),
        ("Jack of \u2666s", "Jack of \u2666s"),
        ("foo\u1680bar", "foo bar"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_opaque_keeps_case_and_maps_spaces(given_text: str, prepared: str) -> None:
    """RFC 8265, 4.3."""
    assert opaque(given_text) == prepared


@pytest.mark.parametrize("text", ["", "my cat is a \x09by", "a\x00", f"pass{ZERO_WIDTH_SPACE}word", "\udfff"])
def test_opaque_refuses_controls_and_invisibles(text: str) -> None:
    """RFC 8265, 4.3: an empty string and control characters are refused."""
    with pytest.raises(PrecisError):
        opaque(text)


def test_refusal_of_a_password_does_not_quote_it() -> None:
    """The text of an exception may reach a log."""
    with pytest.raises(PrecisError) as refusal:
        opaque("s3cr\u200bt")
    assert "s3cr" not in str(refusal.value)
    assert refusal.value.__suppress_context__


@pytest.mark.parametrize("prepare", [username, opaque])
@pytest.mark.parametrize("character", ["a", "\u00e9", "\u6f22", "\U00020000"])
def test_length_is_counted_in_bytes(prepare: object, character: str) -> None:
    """RFC 7622, 3.1: a part has at most 1023 bytes."""
    fits = LONGEST // len(character.encode())
    assert prepare(character * fits) == character * fits  # type: ignore[operator]
    with pytest.raises(PrecisError):
        prepare(character * (fits + 1))  # type: ignore[operator]


def test_what_grows_by_normalisation_is_measured_again() -> None:
    """A capital I with a dot has two bytes, the two characters of its lower case have three."""
    assert username("\u0130" * (LONGEST // 3)) == "i\u0307" * (LONGEST // 3)
    with pytest.raises(PrecisError, match=f"more than {LONGEST} bytes"):
        username("\u0130" * (LONGEST // 2))


@pytest.mark.parametrize("prepare", [username, opaque])
@settings(deadline=None)
@given(text=st.text(st.characters(), max_size=40))
def test_prepared_text_is_stable(prepare: object, text: str) -> None:
    """Any text is refused with PrecisError or has one form, which is its own form."""
    try:
        prepared = prepare(text)  # type: ignore[operator]
    except PrecisError:
        return
    assert prepare(prepared) == prepared  # type: ignore[operator]


@settings(deadline=None)
@given(text=st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=20))
def test_the_short_way_agrees_with_the_tables(text: str) -> None:
    """The regular expressions for ASCII say what precis-i18n says."""
    from precis_i18n import get_profile

    for prepare, profile in (
        (username, "UsernameCaseMapped:ToLower"),
        (opaque, "OpaqueString"),
    ):
        try:
            expected: str | None = get_profile(profile).enforce(text)
        except UnicodeEncodeError:
            expected = None
        try:
            prepared: str | None = prepare(text)
        except PrecisError:
            prepared = None
        assert prepared == expected
