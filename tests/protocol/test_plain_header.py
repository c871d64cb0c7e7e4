"""The shortcut for plain stream headers says what the parser says, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppd.protocol.element import Element
from xmppd.protocol.errors import StreamError
from xmppd.protocol.parser import USUAL_HEADER, StreamParser
from xmppd.protocol.plain_header import MOST_ATTRIBUTES, USUAL_LENGTH, _known, plain_header
from xmppd.protocol.tree import Limits, StreamHeader

CLIENT = "xmlns='jabber:client'"
STREAM = "xmlns:stream='http://etherx.jabber.org/streams'"
USUAL = f"<?xml version='1.0'?><stream:stream to='capulet.example' version='1.0' xml:lang='en' {CLIENT} {STREAM}>"


def parsed(data: bytes) -> tuple[StreamHeader | None, bytes]:
    """Return what the parser makes of `data`, and the declarations that it keeps."""
    parser = StreamParser(Limits())
    parser.receive(data)
    try:
        event = parser.next()
    except StreamError:
        return None, b""
    assert event is None or isinstance(event, StreamHeader)
    return event, parser._header


def test_usual() -> None:
    """What clients send is understood, with what comes behind it left alone."""
    found = plain_header(f"\n{USUAL}<auth/>".encode())
    assert found is not None
    header, length = found
    assert header == parsed(USUAL.encode())[0]
    assert length == len(USUAL) + 1


def test_known() -> None:
    """The header that all clients of one kind send is read once; what comes with a header is never kept."""
    _known.cache_clear()
    found = plain_header(USUAL.encode())
    assert plain_header(USUAL.encode()) is found
    assert _known.cache_info().currsize == 1
    for behind in ("<auth>secret</auth>", "secret", f"<a b='{'c' * USUAL_LENGTH}'/>"):
        again = plain_header((USUAL + behind).encode())
        assert again is not None
        assert again == found
    assert _known.cache_info().currsize == 1


@pytest.mark.parametrize(
    "text",
    [
        USUAL[:-1],
        "",
        USUAL.replace("capulet", "capul&#101;t"),
        USUAL.replace("capulet", "k\u00e4fer"),
        USUAL.replace("capulet", "a\tb"),
        USUAL.replace("?xml version='1.0'", "?xml version='1.1'"),
        USUAL.replace("?xml version='1.0'", "?xml version='1.0' encoding='UTF-16'"),
        USUAL.replace("stream:stream ", "s:stream "),
        USUAL.replace("jabber:client", "jabber:server"),
        USUAL.replace(CLIENT, ""),
        USUAL.replace(STREAM, ""),
        USUAL.replace(CLIENT, f"{CLIENT} {CLIENT}"),
        USUAL.replace(CLIENT, f"{CLIENT} xmlns:a='b'"),
        USUAL.replace(CLIENT, f"{CLIENT} xml:space='preserve'"),
        USUAL.replace("to=", "to ="),
        USUAL.replace("' version", "'version"),
        USUAL.replace(">", "/>"),
        USUAL.replace("to='capulet.example'", " ".join(f"a{n}=''" for n in range(MOST_ATTRIBUTES))),
        USUAL.replace("capulet", "c" * 2000),
    ],
)
def test_anything_else_is_the_parsers(text: str) -> None:
    """A header that is not plain, or not whole, is not read here."""
    assert plain_header(text.encode()) is None


PIECES = st.sampled_from([
    "<?xml version='1.0'?>", '<?xml version="1.0" encoding="UTF-8"?>', "<stream:stream", " ", "\n", CLIENT, STREAM,
    f" {CLIENT}", f" {STREAM}", " to='a.example'", ' from="b@a"', " xml:lang='de'", " version='1.0'", ">", "/>", "'", '"',
    "<", "&", "=", " xmlns:x='y'", " x:y='z'", " to='>'", ' a="it\'s"', "\u00e4", "<a/>", " to=''",
])  # fmt: skip


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=12), st.booleans())
def test_the_parser_agrees(pieces: list[str], whole: bool) -> None:
    """Whatever the shortcut understands the parser understands the same way."""
    text = "".join(pieces)
    data = (f"<stream:stream {CLIENT} {STREAM}{text}>" if whole else text).encode()
    found = plain_header(data)
    if found is None:
        return
    header, length = found
    assert parsed(data[:length]) == (header, USUAL_HEADER)
    parser = StreamParser(Limits(), USUAL_HEADER)
    parser.receive(b"<message/>")
    assert isinstance(parser.next(), Element)
