"""XEP-0178: the TLS certificate says who it is."""

import pytest

from .cast import Cast
from .certificates import Authority, UserCertificate
from .deployment import CAPULET, MONTAGUE
from .raw import mechanisms, outcome


async def login(cast: Cast, shown: UserCertificate, authzid: bytes = b"", host: str = CAPULET) -> str:
    """Log in by EXTERNAL; return the outcome, or "not offered"."""
    raw = await cast.secured(host, "certificate", shown=shown)
    if "EXTERNAL" not in mechanisms(await raw.opens(host)):
        return "not offered"
    answer = outcome(await raw.says("EXTERNAL", authzid))
    if answer == "success":
        return await raw.binds(host, "orchard")
    return answer


@pytest.fixture
def romeo(cast: Cast) -> str:
    """An account."""
    return cast.account("romeo")


async def test_a_certificate_logs_in(cast: Cast, romeo: str) -> None:
    """Client-to-Server: without an authorization identity the account is the one that it names."""
    shown = cast.deployment.authority.issue(romeo)
    assert await login(cast, shown) == f"{romeo}/orchard"


async def test_a_certificate_logs_in_as_whom_it_names(cast: Cast, romeo: str) -> None:
    """An authorization identity must be among the names; with several names it must be given."""
    juliet = cast.account("juliet")
    shown = cast.deployment.authority.issue(juliet, romeo)
    assert await login(cast, shown, romeo.encode()) == f"{romeo}/orchard"
    assert await login(cast, shown, juliet.encode()) == f"{juliet}/orchard"
    assert await login(cast, shown) == "not-authorized"


async def test_a_certificate_for_somebody_else(cast: Cast, romeo: str) -> None:
    """RFC 6120, 6.5.6."""
    shown = cast.deployment.authority.issue(romeo)
    assert await login(cast, shown, cast.account("juliet").encode()) == "invalid-authzid"


async def test_a_certificate_for_another_host(cast: Cast, romeo: str) -> None:
    """An account is its host's: the same certificate does not open the other one."""
    shown = cast.deployment.authority.issue(romeo)
    assert await login(cast, shown, host=MONTAGUE) == "not-authorized"


async def test_a_certificate_without_names(cast: Cast) -> None:
    """Somebody whom the authority knows, but nobody here."""
    assert await login(cast, cast.deployment.authority.issue()) == "not-authorized"


async def test_a_certificate_for_nobody(cast: Cast) -> None:
    """The account must exist."""
    shown = cast.deployment.authority.issue(cast.stranger("mercutio"))
    assert await login(cast, shown) == "not-authorized"


async def test_a_certificate_that_anybody_could_make(cast: Cast, romeo: str) -> None:
    """Signed by an authority that we do not trust: EXTERNAL is not even offered, and passwords are."""
    shown = Authority("Friar John").issue(romeo)
    assert await login(cast, shown) == "not offered"
    raw = await cast.secured(role="certificate", shown=shown)
    assert "SCRAM-SHA-256" in mechanisms(await raw.opens(CAPULET))
    assert outcome(await raw.says("EXTERNAL", b"")) == "invalid-mechanism"


async def test_without_a_certificate_passwords_do(cast: Cast) -> None:
    """A listener that asks for certificates needs none."""
    client = await cast.connected("romeo", role="certificate")
    await client.barrier()
