"""The PROXY protocol: behind a load balancer the client's address is the one that it announces."""

import socket
import struct

import pytest

from .cast import PASSWORD, Cast
from .deployment import CAPULET
from .raw import Raw

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
VERSION_1 = b"PROXY TCP4 192.0.2.77 127.0.0.1 40000 5222\r\n"
VERSION_2 = (
    SIGNATURE
    + struct.pack("!BBH", 0x21, 0x11, 12)
    + socket.inet_aton("192.0.2.77")
    + socket.inet_aton("127.0.0.1")
    + struct.pack("!HH", 40000, 5222)
)


@pytest.mark.parametrize("header", [VERSION_1, VERSION_2], ids=["version 1", "version 2"])
async def test_the_announced_address_is_the_client(cast: Cast, header: bytes) -> None:
    """Whoever asks for sessions sees it; TLS and login go on behind the header."""
    raw = await cast.raw("proxy")
    await raw.sends(header)
    jid = await login(cast, raw)
    rows = cast.deployment.admin("session", "list")["rows"]
    assert any("192.0.2.77" in map(str, row) for row in rows if jid in map(str, row)), rows


@pytest.mark.parametrize("begin", [b"PROXY nonsense\r\n", b"<stream:stream>", b"\x16\x03\x01"])
async def test_without_a_header_nobody_is_served(cast: Cast, begin: bytes) -> None:
    """Such a listener believes what it is told, so it serves nobody who tells nothing."""
    raw = await cast.raw("proxy")
    await raw.sends(begin + b" " * 200)
    assert await raw.is_cut_off() == b""


async def login(cast: Cast, raw: Raw) -> str:
    """Log in on a connection whose header was sent; return the full JID."""
    await raw.opens(CAPULET)
    await raw.starts_tls(cast.context(), CAPULET)
    await raw.opens(CAPULET)
    assert await raw.authenticates("PLAIN", cast.account("romeo").partition("@")[0], PASSWORD) == "success"
    return await raw.binds(CAPULET)
