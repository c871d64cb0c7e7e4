"""The PROXY protocol, versions 1 and 2: a load balancer says in front of the stream whom it speaks for.

A pure incremental parser of HAProxy's specification. The header is required where it is switched on: a listener that
accepted connections with and without would let anybody invent an address. It is parsed strictly; what is not a header
is refused at the first byte that cannot belong to one.
"""

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"  # 2.2: the first twelve bytes of version 2
LINE_START: Final = b"PROXY "
LONGEST_LINE: Final = 107  # 2.1: the longest version 1 line, CRLF included
LONGEST_BLOCK: Final = 4096  # our bound for the addresses and TLVs of version 2
_TCP4: Final = 0x11
_TCP6: Final = 0x21
_UNKNOWN: Final = frozenset({0x00, 0x31})  # unspecified, and a UNIX stream: neither has an IP address


class ProxyProtocolError(ValueError):
    """The bytes are no PROXY protocol header."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """One header.

    :ivar address: the client's address, or None if the proxy speaks for itself (LOCAL) or does not know (UNKNOWN).
    :ivar port: the client's port.
    :ivar rest: the bytes behind the header, which belong to the stream.
    """

    address: str | None
    port: int
    rest: bytes


class ProxyParser:
    """Collects one header; feed it until it returns one."""

    __slots__ = ("_received",)

    def __init__(self) -> None:
        self._received = b""

    def feed(self, data: bytes) -> ProxyHeader | None:
        """Return the header once it is complete, else None; raise `ProxyProtocolError` if it cannot become one."""
        self._received += data
        if _may_start(self._received, SIGNATURE):
            return _parse_block(self._received)
        if _may_start(self._received, LINE_START):
            return _parse_line(self._received)
        raise ProxyProtocolError("the connection does not begin with a PROXY header")


def _may_start(received: bytes, start: bytes) -> bool:
    """Say whether `received` begins with `start`, as far as it goes."""
    return received[: len(start)] == start[: len(received)]


def _parse_line(received: bytes) -> ProxyHeader | None:
    """Parse version 1: ``PROXY TCP4 192.0.2.1 192.0.2.2 56324 5222`` and CRLF."""
    end = received.find(b"\r\n", 0, LONGEST_LINE)
    if end < 0:
        if len(received) >= LONGEST_LINE:
            raise ProxyProtocolError("the PROXY line is too long")
        return None
    words = received[len(LINE_START) : end].split(b" ")
    rest = received[end + 2 :]
    if words[0] == b"UNKNOWN":  # 2.1: what follows on the line must be ignored
        return ProxyHeader(None, 0, rest)
    if len(words) != 5 or words[0] not in (b"TCP4", b"TCP6"):
        raise ProxyProtocolError("the PROXY line is malformed")
    version = 4 if words[0] == b"TCP4" else 6
    source, _ = _address(words[1], version), _address(words[2], version)
    port, _ = _port(words[3]), _port(words[4])
    return ProxyHeader(source, port, rest)


def _address(word: bytes, version: int) -> str:
    """Return the canonical text of an address of that IP version."""
    try:
        text = word.decode("ascii")
        address = ipaddress.IPv4Address(text) if version == 4 else ipaddress.IPv6Address(text)
    except ValueError:
        raise ProxyProtocolError("the PROXY line has a malformed address") from None
    if "%" in text:  # a zone means something on one machine only
        raise ProxyProtocolError("the PROXY line has a scoped address")
    return _plain(address)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the text of an address; an IPv4 address that is mapped into IPv6 is an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _port(word: bytes) -> int:
    """Return a port in decimal, without a sign, a space or leading zeros."""
    if not word.isdigit() or len(word) > 5 or (word[:1] == b"0" and word != b"0") or int(word) > 65535:
        raise ProxyProtocolError("the PROXY line has a malformed port")
    return int(word)


def _parse_block(received: bytes) -> ProxyHeader | None:
    """Parse version 2: signature, version and command, family, length, addresses, TLVs (which we ignore)."""
    if len(received) > 12 and received[12] not in (0x20, 0x21):
        raise ProxyProtocolError("the PROXY header has an unknown version or command")
    if len(received) < 16:
        return None
    _check_block(received[12], received[13], length := int.from_bytes(received[14:16], "big"))
    if len(received) < 16 + length:
        return None
    block, rest = received[16 : 16 + length], received[16 + length :]
    if received[12] == 0x20 or received[13] in _UNKNOWN:  # LOCAL: the addresses must be ignored
        return ProxyHeader(None, 0, rest)
    if received[13] == _TCP4:
        source, _, port, _ = struct.unpack_from("!4s4sHH", block)
        return ProxyHeader(str(ipaddress.IPv4Address(source)), port, rest)
    source, _, port, _ = struct.unpack_from("!16s16sHH", block)
    return ProxyHeader(_plain(ipaddress.IPv6Address(source)), port, rest)


def _check_block(command: int, family: int, length: int) -> None:
    """Refuse a family that cannot be an XMPP client's, and a length that does not fit."""
    if length > LONGEST_BLOCK:
        raise ProxyProtocolError("the PROXY header is too long")
    if command == 0x20 or family in _UNKNOWN:
        return
    shortest = {_TCP4: 12, _TCP6: 36}.get(family)
    if shortest is None:
        raise ProxyProtocolError("the PROXY header has an unsupported address family")
    if length < shortest:
        raise ProxyProtocolError("the PROXY header is too short for its addresses")
