"""RFC 5802, 6: the password is proved on this TLS connection and no other."""

import pytest

from .cast import PASSWORD, Cast
from .deployment import CAPULET
from .raw import Raw, mechanisms

PLUS = ("SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS")
KINDS = ("tls-exporter", "tls-server-end-point")
TLS_1_2 = 0x0303
TLS_1_3 = 0x0304


@pytest.fixture
def user(cast: Cast) -> str:
    """The localpart of an account."""
    return cast.account("romeo").partition("@")[0]


async def ready(cast: Cast, role: str = "starttls", version: int = TLS_1_3) -> Raw:
    """Return a connection on which authentication is due."""
    raw = await cast.secured(role=role, versions=(version, version))
    features = await raw.opens(CAPULET)
    assert mechanisms(features) >= set(PLUS)
    offered = {each.get("type") for each in features.iter("{urn:xmpp:sasl-cb:0}channel-binding")}
    assert offered == set(KINDS)
    return raw


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mechanism", PLUS)
async def test_bound_to_the_connection(cast: Cast, user: str, mechanism: str, kind: str) -> None:
    """RFC 9266 and RFC 5929, 4: both types, with every hash function."""
    raw = await ready(cast)
    assert await raw.authenticates(mechanism, user, PASSWORD, (kind, raw.binding(kind))) == "success"
    await raw.binds(CAPULET)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("role", "version"), [("direct", TLS_1_3), ("starttls", TLS_1_2)])
async def test_bound_under_every_tls(cast: Cast, user: str, role: str, version: int, kind: str) -> None:
    """Under direct TLS too, and under TLS 1.2, whose master secret is extended (RFC 9266, 4.2)."""
    raw = await ready(cast, role, version)
    assert await raw.authenticates(PLUS[1], user, PASSWORD, (kind, raw.binding(kind))) == "success"


async def test_a_proof_for_another_connection_is_worth_nothing(cast: Cast, user: str) -> None:
    """RFC 5802, 9: whoever is in the middle has another TLS connection with each side."""
    here, there = await ready(cast), await ready(cast)
    binding = ("tls-exporter", there.binding("tls-exporter"))
    assert await here.authenticates(PLUS[1], user, PASSWORD, binding) == "not-authorized"


async def test_a_type_that_nobody_offered(cast: Cast, user: str) -> None:
    """RFC 5802, 7: channel-binding not supported."""
    raw = await ready(cast)
    assert await raw.authenticates(PLUS[1], user, PASSWORD, ("tls-unique", b"?" * 12)) == "malformed-request"


async def test_a_client_that_saw_no_plus_was_lied_to(cast: Cast, user: str) -> None:
    """RFC 5802, 6: its flag `y` says that it could bind and was offered nothing; we did offer it."""
    raw = await ready(cast)
    answer = await raw.says("SCRAM-SHA-256", f"y,,n={user},r=fyko".encode())
    assert answer[0].tag.endswith("not-authorized")
