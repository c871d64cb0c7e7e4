"""The PROXY protocol: the examples of the specification, any chunking of them, and anything else."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.transport.proxy_protocol import (
    LONGEST_BLOCK,
    SIGNATURE,
    ProxyHeader,
    ProxyParser,
    ProxyProtocolError,
)

PORTS = st.integers(0, 65535)


def block(command: int, family: int, content: bytes) -> bytes:
    """Return a header of version 2."""
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(content)) + content


def parse(data: bytes) -> ProxyHeader | None:
    return ProxyParser().feed(data)


@st.composite
def headers(draw: st.DrawFn) -> tuple[bytes, str | None, int]:
    """A header of either version, with the address and port it announces."""
    version = draw(st.sampled_from([4, 6]))
    source, target = draw(st.ip_addresses(v=version)), draw(st.ip_addresses(v=version))
    port, target_port = draw(PORTS), draw(PORTS)
    told = str(getattr(source, "ipv4_mapped", None) or source)
    if draw(st.booleans()):
        return f"PROXY TCP{version} {source} {target} {port} {target_port}\r\n".encode(), told, port
    content = source.packed + target.packed + struct.pack("!HH", port, target_port) + draw(st.binary(max_size=300))
    if draw(st.booleans()):
        return block(0x20, 0x11 if version == 4 else 0x21, content), None, 0
    return block(0x21, 0x11 if version == 4 else 0x21, content), told, port


@given(headers(), st.binary(max_size=50), st.lists(st.integers(1, 40), max_size=60))
def test_any_chunking_gives_the_same_header(
    header: tuple[bytes, str | None, int], behind: bytes, sizes: list[int]
) -> None:
    """A header may come byte by byte; what follows it in the last segment belongs to the stream."""
    (data, address, port), parser, found, position = header, ProxyParser(), None, 0
    for size in [*sizes, len(data) + len(behind)]:
        chunk = (data + behind)[position : position + size]
        position += len(chunk)
        found = parser.feed(chunk)
        if found is not None:
            break
        assert position < len(data)

    assert found is not None
    assert (found.address, found.port) == (address, port)
    assert found.rest + (data + behind)[position:] == behind


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data: bytes) -> None:
    """Whatever comes, the parser answers, wants more of a beginning that may be right, or refuses."""
    try:
        found = parse(data)
    except ProxyProtocolError:
        return
    assert found is None
    assert data[:6] == b"PROXY "[: len(data)] or data[:12] == SIGNATURE[: len(data)]


@given(st.sampled_from([b"PROXY ", SIGNATURE]), st.binary(max_size=300))
def test_random_bytes_behind_a_right_beginning(start: bytes, data: bytes) -> None:
    """No malformed header does more than raise the one error."""
    try:
        found = parse(start + data)
    except ProxyProtocolError:
        return
    if found is not None and found.address is not None:
        ipaddress.ip_address(found.address)


@pytest.mark.parametrize("data", [b"<stream:stream", b"\x16\x03\x01", b"PROXZ", b"\r\n\r\nX", b"proxy tcp4", b" "])
def test_what_is_no_header_is_refused_at_once(data: bytes) -> None:
    """The header is required: a client that speaks XMPP or TLS at once is not behind the proxy."""
    with pytest.raises(ProxyProtocolError, match="does not begin with"):
        parse(data)


def test_unknown_in_version_1() -> None:
    """2.1: behind UNKNOWN the rest of the line is ignored, and the socket's own address counts."""
    assert parse(b"PROXY UNKNOWN\r\n") == ProxyHeader(None, 0, b"")
    assert parse(b"PROXY UNKNOWN ffff:f...f:ffff anything 65535\r\nrest") == ProxyHeader(None, 0, b"rest")


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        b"PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.\xb9 192.0.2.2 1 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN" + b"x" * 100,
        b"PROXY UNKNOWN" + b"x" * 100 + b"\r\n",
    ],
)
def test_malformed_lines(line: bytes) -> None:
    """2.1: one space between fields, canonical numbers, an address of the family, 107 bytes at most."""
    with pytest.raises(ProxyProtocolError):
        parse(line)


def test_longest_line() -> None:
    """2.1: the worst case of 107 bytes is taken."""
    line = (
        b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
    )
    assert len(line) == 107
    assert parse(line) == ProxyHeader(None, 0, b"")


@pytest.mark.parametrize("family", [0x00, 0x31])
def test_families_without_an_ip_address(family: int) -> None:
    """2.2: an unspecified family or a UNIX socket leaves the socket's own address."""
    assert parse(block(0x21, family, b"x" * 216) + b"rest") == ProxyHeader(None, 0, b"rest")


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_local_command(content: bytes) -> None:
    """2.2: LOCAL is the proxy's own health check; whatever addresses come with it are ignored."""
    assert parse(block(0x20, 0x00, content) + b"rest") == ProxyHeader(None, 0, b"rest")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (SIGNATURE + b"\x11", "version"),
        (SIGNATURE + b"\x22", "version"),
        (block(0x21, 0x12, b"x" * 12), "family"),
        (block(0x21, 0x22, b"x" * 36), "family"),
        (block(0x21, 0x11, b"x" * 11), "too short"),
        (block(0x21, 0x21, b"x" * 35), "too short"),
        (SIGNATURE + b"\x21\x11" + struct.pack("!H", LONGEST_BLOCK + 1), "too long"),
    ],
)
def test_malformed_blocks(data: bytes, reason: str) -> None:
    """Version 2 is refused as soon as it cannot be right, before its content is waited for."""
    with pytest.raises(ProxyProtocolError, match=reason):
        parse(data)


def test_mapped_addresses_are_ipv4() -> None:
    """A dual-stack proxy's ::ffff:192.0.2.1 is the same client as 192.0.2.1, for limits and logs."""
    packed = ipaddress.IPv6Address("::ffff:192.0.2.1").packed
    found = parse(block(0x21, 0x21, packed * 2 + b"\0\1\0\2"))

    assert found == ProxyHeader("192.0.2.1", 1, b"")
