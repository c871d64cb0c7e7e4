"""A login by token, as the core leads it."""

import pytest
from twisted.internet.defer import Deferred

from xmppd.core.client_identity import client_of
from xmppd.core.drive import drive
from xmppd.core.events import TokenShown
from xmppd.core.hooks import Hooks, Phase, Verdict, on
from xmppd.core.shards import StorageUnavailable
from xmppd.core.token_check import TokenCheck
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.fast import Use
from xmppd.protocol.jid import Jid
from xmppd.protocol.sasl.exchange import CheckToken

JULIET = Jid.parse("juliet@capulet.example")
PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"
ASKED = CheckToken("juliet", "HT-SHA-256-NONE", b"proof", b"binding")


class Keeper:
    """Knows one token, or fails."""

    def __init__(
        self, verdict: Verdict | None, failure: str = "not-authorized", error: Exception | None = None
    ) -> None:
        self.verdict = verdict
        self.failure = failure
        self.error = error

    @on(TokenShown, Phase.DELIVER)
    async def check(self, event: TokenShown) -> Verdict | None:
        if self.error is not None:
            raise self.error
        event.answer, event.failure = b"answer", self.failure
        return self.verdict


def answer(keeper: Keeper | None, use: Use | None = Use()) -> tuple[bytes | None, TokenShown | None]:  # noqa: B008
    hooks = Hooks()
    if keeper is not None:
        hooks.bind("keeper", keeper)
    check = TokenCheck(hooks, b"secret", PHONE, ("HT-SHA-256-NONE",), use)
    found = drive(check.answer(JULIET, ASKED, None))
    assert not isinstance(found, Deferred)
    return found, check.shown


def test_a_good_token() -> None:
    """Whoever handles the question says so; who the client is was worked out for it."""
    found, shown = answer(Keeper(Verdict.HANDLED))
    assert found == b"answer"
    assert shown is not None
    assert shown.client == client_of(b"secret", JULIET, PHONE)
    assert (shown.proof, shown.binding, shown.mechanism) == (b"proof", b"binding", "HT-SHA-256-NONE")


@pytest.mark.parametrize("keeper", [None, Keeper(None), Keeper(Verdict.DROP)])
def test_no_token(keeper: Keeper | None) -> None:
    """Nobody knows it."""
    assert answer(keeper)[0] is None


@pytest.mark.parametrize(
    ("keeper", "use", "condition"),
    [
        (Keeper(Verdict.DROP, "credentials-expired"), Use(), "credentials-expired"),
        (Keeper(None, error=StorageUnavailable()), Use(), "temporary-auth-failure"),
        (Keeper(Verdict.HANDLED), None, "malformed-request"),
    ],
)
def test_failures(keeper: Keeper, use: Use | None, condition: str) -> None:
    """It is known and good no more, cannot be looked up, or was not announced."""
    with pytest.raises(SaslFailure) as refusal:
        answer(keeper, use)
    assert refusal.value.condition == condition
