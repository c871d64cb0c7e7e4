"""ANONYMOUS: RFC 4505."""

import pytest

from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.sasl.anonymous import Anonymous
from xmppd.protocol.sasl.exchange import Authenticated


@pytest.mark.parametrize("trace", ["", "sirhc", "sirhc@example.com", "\u00e9" * 255])
def test_anybody_is_nobody(trace: str) -> None:
    """RFC 4505, 2: trace information is optional and proves nothing."""
    assert Anonymous().step(trace.encode()) == Authenticated(None)


@pytest.mark.parametrize("message", [b"\xff", b"a" * 256])
def test_malformed_traces(message: bytes) -> None:
    """RFC 4505, 2: up to 255 characters of UTF-8."""
    with pytest.raises(SaslFailure) as refusal:
        Anonymous().step(message)
    assert refusal.value.condition == "malformed-request"
