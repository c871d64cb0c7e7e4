"""XMPP addresses: RFC 7622."""

import copy
import pickle
from collections.abc import Iterator

import idna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppd.protocol import jid as jid_file
from xmppd.protocol.jid import Jid, JidError

parts = st.text(st.characters(), max_size=12)


@pytest.mark.parametrize(
    ("text", "localpart", "domainpart", "resourcepart"),
    [
        ("juliet@example.com", "juliet", "example.com", ""),
        ("juliet@example.com/foo", "juliet", "example.com", "foo"),
        ("juliet@example.com/foo bar", "juliet", "example.com", "foo bar"),
        ("juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"),
        ("foo\\20bar@example.com", "foo\\20bar", "example.com", ""),
        ("fussball@example.com", "fussball", "example.com", ""),
        ("fu\u00dfball@example.com", "fu\u00dfball", "example.com", ""),
        ("\u03c0@example.com", "\u03c0", "example.com", ""),
        ("\u03c3@example.com/foo", "\u03c3", "example.com", "foo"),
        ("king@example.com/\u265a", "king", "example.com", "\u265a"),
        ("example.com", "", "example.com", ""),
        ("example.com/foobar", "", "example.com", "foobar"),
        ("a.example.com/b@example.net", "", "a.example.com", "b@example.net"),
        ("a.example.com/b/c", "", "a.example.com", "b/c"),
        ("localhost", "", "localhost", ""),
        ("juliet@192.0.2.1", "juliet", "192.0.2.1", ""),
        ("juliet@[2001:db8::1]/a", "juliet", "[2001:db8::1]", "a"),
    ],
)
def test_canonical_addresses_are_themselves(text: str, localpart: str, domainpart: str, resourcepart: str) -> None:
    """RFC 7622, 3.5, table 1: parts are split at the first slash, then at the first at sign."""
    jid = Jid.parse(text)
    assert jid == text
    assert (jid.localpart, jid.domainpart, jid.resourcepart) == (localpart, domainpart, resourcepart)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Juliet@Example.COM/Balcony", "juliet@example.com/Balcony"),
        ("\u03a3@example.com/foo", "\u03c3@example.com/foo"),
        ("juliet@example.com.", "juliet@example.com"),
        ("example.com./r", "example.com/r"),
        ("\uff2a@\uff25\uff38\uff0e\uff43", "j@ex.c"),
        ("a@b\u3002c\uff61d", "a@b.c.d"),
        ("a@B\u00dcCHER.example", "a@b\u00fccher.example"),
        ("a@bu\u0308cher.example", "a@b\u00fccher.example"),
        ("a@xn--bcher-kva.example", "a@b\u00fccher.example"),
        ("a@XN--BCHER-KVA.example", "a@b\u00fccher.example"),
        ("a@[2001:DB8:0:0:0:0:0:1]", "a@[2001:db8::1]"),
        ("a@b/x\u00a0y", "a@b/x y"),
        ("a@b/e\u0301", "a@b/\u00e9"),
    ],
)
def test_variants_have_one_form(text: str, canonical: str) -> None:
    """RFC 7622, 3.2 to 3.4: case, width, composition, A-labels, the final dot and spaces are mapped."""
    assert Jid.parse(text) == canonical
    assert Jid.parse(text).bare == canonical.partition("/")[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "/",
        ".",
        "a@",
        "@example.com",
        "@example.com/r",
        "example.com/",
        "a@example.com/",
        "/r",
        "a@/r",
        '"juliet"@example.com',
        "foo bar@example.com",
        "a&b@c",
        "a'b@c",
        "a:b@c",
        "<a@c",
        "a>@c",
        "a@b@c",
        "henry\u2163@example.com",
        "\u265a@example.com",
        "\uff20@c",
        "a\uff0fb@c",
        "a\x00@c",
        "a@c/\x00",
        "a@c/\n",
        "a@c\n",
        "a@c\x00",
        "\ud800@c",
        "a@\ud800",
        "a@c/\udfff",
        "a@b c",
        "a@.c",
        "a@c..",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a@ab--cd.c",
        "a@_b.c",
        "a@xn--",
        "a@xn--a",
        "a@" + "b" * 64,
        "a@" + ".".join(["b" * 63] * 4),
        "a@[::1",
        "a@[]",
        "a@[fe80::1%eth0]",
        "a@[1.2.3.4]",
        "a@[::1].",
        "a@::1",
        "1\u05d0@c",
        "a@\u05d0a",
        "\u05d0a@c",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """RFC 7622, 3.5, table 2: empty parts, forbidden characters, broken labels and literals."""
    with pytest.raises(JidError):
        Jid.parse(text)


@pytest.mark.parametrize("invisible", ["\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\ufeff", "\u180e", "\u202e"])
@pytest.mark.parametrize("form", ["jul{}iet@c", "a@exa{}mple", "a@c/bal{}cony", "juliet{}@c", "{}a@c"])
def test_no_invisible_twins(invisible: str, form: str) -> None:
    """Zero-width characters, soft hyphens and direction marks are in no part of an address."""
    with pytest.raises(JidError):
        Jid.parse(form.format(invisible))


@pytest.mark.parametrize("character", ["a", "\u00e9", "\U00020000"])
def test_parts_have_up_to_1023_bytes(character: str) -> None:
    """RFC 7622, 3.1: the length is counted in bytes of UTF-8, for each part."""
    fits = character * (1023 // len(character.encode()))
    assert Jid.parse(f"{fits}@c/{fits}").resourcepart == fits
    for text in (f"{fits}{character}@c", f"c/{fits}{character}", f"{fits}{character}@c/{fits}"):
        with pytest.raises(JidError):
            Jid.parse(text)


def test_over_long_text_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that cannot be an address is not prepared."""
    monkeypatch.setattr(jid_file, "_build", None)
    with pytest.raises(JidError, match="3071"):
        Jid.parse("\u00e9" * 5_000_000)


def test_a_host_name_has_up_to_253_bytes() -> None:
    """RFC 1035: longer names cannot be resolved; U-labels count as A-labels."""
    longest = ".".join(["b" * 63, "b" * 63, "b" * 63, "b" * 61])
    assert Jid.parse(f"a@{longest}").domainpart == longest
    with pytest.raises(JidError):
        Jid.parse(f"a@{longest}b")
    with pytest.raises(JidError):
        Jid.parse("a@" + "\u00e9" * 60)


def test_a_jid_is_its_text() -> None:
    """Equality, hashing, keys and formatting are those of str."""
    jid = Jid.parse("Juliet@capulet.example/balcony")
    assert {jid: 1}["juliet@capulet.example/balcony"] == 1
    assert f"{jid}" == str(jid) == "juliet@capulet.example/balcony"
    assert type(str(jid)) is str
    assert repr(jid) == "Jid('juliet@capulet.example/balcony')"
    assert Jid("Juliet@capulet.example/balcony") is jid
    assert Jid.parse(jid) == jid


def test_bare_and_full() -> None:
    """A bare address is its own bare address; full addresses of an account share one."""
    full = Jid.parse("romeo@montague.example/garden")
    other = Jid.parse("romeo@montague.example/home")
    assert not full.is_bare
    assert full.bare.is_bare
    assert full.bare is other.bare is full.bare.bare
    assert Jid.parse("montague.example/x").bare == "montague.example"


def test_with_resource_prepares_it() -> None:
    """A resource that a client asked for becomes canonical, or is refused."""
    jid = Jid.parse("romeo@montague.example/garden")
    assert jid.with_resource("a\u00a0b") == Jid.parse("romeo@montague.example/a b")
    assert jid.with_resource("home").bare is jid.bare
    for refused in ("", "\x00", "\u200b", "a" * 1024):
        with pytest.raises(JidError):
            jid.with_resource(refused)


def test_make_prepares_each_part() -> None:
    """Parts given apart cannot leak into one another."""
    assert Jid.make("Romeo", "Montague.example.", "Garden") == "romeo@montague.example/Garden"
    assert Jid.make("", "montague.example") == "montague.example"
    assert Jid.make("romeo", "montague.example").is_bare
    for wrong in (("a@b", "c", ""), ("a/b", "c", ""), ("a", "c/d", ""), ("a", "b@c", ""), ("a", "", "r")):
        with pytest.raises(JidError):
            Jid.make(*wrong)


def test_make_knows_what_was_parsed() -> None:
    """An address that is known is found by its parts; no text that is split elsewhere is taken for it."""
    assert Jid.make("Romeo", "montague.example") is Jid.make("romeo", "montague.example")
    assert Jid.make("romeo", "montague.example") is Jid.parse("romeo@montague.example")
    assert Jid.parse("c/y@c").resourcepart == "y@c"
    with pytest.raises(JidError):
        Jid.make("c/y", "c")


def test_copies_and_pickles_are_addresses() -> None:
    """Values may cross a process; both directions prepare."""
    jid = Jid.parse("romeo@montague.example/garden")
    for again in (pickle.loads(pickle.dumps(jid)), copy.copy(jid), copy.deepcopy(jid)):
        assert again == jid
        assert again.bare == jid.bare
        assert again.resourcepart == "garden"


@pytest.fixture
def small_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[jid_file._Cache]:
    """A cache of two generations of four addresses."""
    cache = jid_file._Cache()
    monkeypatch.setattr(jid_file, "_GENERATION", 4)
    monkeypatch.setattr(jid_file, "_CACHE", cache)
    yield cache


def test_the_cache_is_bounded_and_keeps_what_is_used(small_cache: jid_file._Cache) -> None:
    """What is asked for again survives any number of strangers."""
    kept = small_cache["often.example"]
    for number in range(100):
        small_cache[f"h{number}.example"]
        assert small_cache["often.example"] is kept
        assert len(small_cache) + len(small_cache._old) <= 8


def test_long_texts_and_refusals_are_not_cached(small_cache: jid_file._Cache) -> None:
    """Memory is bounded in bytes, too."""
    small_cache["a@c/" + "r" * 500]
    with pytest.raises(JidError):
        small_cache["a@"]
    assert list(small_cache) == ["a@c"]


@settings(deadline=None)
@given(localpart=parts, domainpart=parts, resourcepart=parts)
def test_any_text_is_an_address_or_an_error(localpart: str, domainpart: str, resourcepart: str) -> None:
    """Nothing but JidError comes out, and what is accepted is stable."""
    for text in (localpart, f"{localpart}@{domainpart}", f"{localpart}@{domainpart}/{resourcepart}"):
        try:
            jid = Jid.parse(text)
        except JidError:
            continue
        assert Jid.parse(str(jid)) == jid
        assert Jid.make(jid.localpart, jid.domainpart, jid.resourcepart) == jid
        assert len(jid.encode()) <= 3071


@settings(deadline=None)
@given(label=st.text("ab-1xnB_ .", min_size=1, max_size=70))
def test_the_short_way_agrees_with_idna(label: str) -> None:
    """The regular expression for ASCII hosts accepts what IDNA2008 accepts."""
    try:
        expected: str | None = idna.decode(idna.encode(label.lower().removesuffix("."), strict=True), strict=True)
    except idna.IDNAError:
        expected = None
    if label.endswith(".."):
        expected = None
    try:
        parsed: str | None = Jid.parse(f"a@{label}").domainpart
    except JidError:
        parsed = None
    assert parsed == expected


@settings(deadline=None)
@given(localpart=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8))
def test_the_short_way_agrees_with_rfc_7622(localpart: str) -> None:
    """In ASCII a localpart forbids exactly eight characters and the space."""
    allowed = not set(localpart) & set("\"&'/:<>@ ")
    try:
        assert Jid.make(localpart, "c") == localpart.lower() + "@c"
        accepted = True
    except JidError:
        accepted = False
    assert accepted is allowed
    if allowed:
        assert Jid.parse(f"{localpart}@c") == Jid.make(localpart, "c")
