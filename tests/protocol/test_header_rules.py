"""What a stream header must say: RFC 6120, 4.7 and 4.8."""

import pytest

from xmppd.protocol.errors import StreamError
from xmppd.protocol.events import StreamStarted
from xmppd.protocol.header_rules import at_least_version_1, language_of, read_header
from xmppd.protocol.names import CLIENT, STREAM, XML_LANG
from xmppd.protocol.tree import StreamHeader

NAME = f"{{{STREAM}}}stream"


def test_what_it_tells() -> None:
    """Who is wanted, in which language, and by whom."""
    attributes = {"to": "capulet.example", "from": "juliet@capulet.example", "version": "1.0", XML_LANG: "en"}
    assert read_header(StreamHeader(NAME, attributes, CLIENT)) == StreamStarted(
        "capulet.example", "en", "juliet@capulet.example"
    )
    assert read_header(StreamHeader(NAME, {"version": "1.0"}, STREAM)) == StreamStarted(None, None, None)


@pytest.mark.parametrize(
    ("name", "version", "namespace", "condition"),
    [
        (f"{{{STREAM}}}streams", "1.0", CLIENT, "bad-format"),
        ("{urn:x}stream", "1.0", CLIENT, "invalid-namespace"),
        (NAME, "1.0", "jabber:server", "invalid-namespace"),
        (NAME, "0.9", CLIENT, "unsupported-version"),
    ],
)
def test_what_it_must_say(name: str, version: str, namespace: str, condition: str) -> None:
    """4.8.1, 4.8.2 and 4.7.5."""
    with pytest.raises(StreamError) as error:
        read_header(StreamHeader(name, {"version": version}, namespace))
    assert error.value.condition == condition


def test_versions_and_languages() -> None:
    """4.7.5: leading zeros mean nothing; RFC 5646, 2.1: what is no language tag is none."""
    assert [at_least_version_1(text) for text in ("01.0", "1.99", "0.9", "", None)] == [True, True, False, False, False]
    assert [language_of(tag) for tag in ("de-CH", "x" * 70, "", None)] == ["de-CH", None, None, None]
