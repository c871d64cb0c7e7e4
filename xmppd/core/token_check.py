"""A login by token (XEP-0484), as far as the core leads it: whether one is good says whoever handles `TokenShown`."""

from dataclasses import dataclass

from ..protocol.errors import SaslFailure, StanzaError
from ..protocol.fast import Use
from ..protocol.jid import Jid
from ..protocol.sasl.exchange import CheckToken
from .accounts import Credentials
from .client_identity import client_of
from .events import TokenShown
from .hooks import Hooks, Verdict


@dataclass(slots=True)
class TokenCheck:
    """What one login may use a token for.

    :ivar secret: the server's.
    :ivar agent: how the client calls itself; None if it does not.
    :ivar offered: the mechanisms that take a token and were offered.
    :ivar use: how the client uses its token; None if it has not said that it uses one.
    :ivar shown: the token that it has shown, once it has.
    """

    hooks: Hooks
    secret: bytes
    agent: str | None
    offered: tuple[str, ...]
    use: Use | None
    shown: TokenShown | None = None

    async def answer(self, account: Jid, asked: CheckToken, credentials: Credentials | None) -> bytes | None:
        """Return what proves to the client that we know its token; None if we do not.

        :raises SaslFailure: the token is known and good no more, it cannot be looked up, or it was not announced.
        """
        if self.use is None:
            raise SaslFailure("malformed-request", "A token is announced by a fast element.")
        client = client_of(self.secret, account, self.agent)
        event = self.shown = TokenShown(
            account, client, asked.mechanism, asked.proof, asked.binding, self.use, credentials
        )
        try:
            verdict = await self.hooks.decide(event)
        except StanzaError as error:
            raise SaslFailure("temporary-auth-failure", "Tokens cannot be looked up now.") from error
        if verdict is Verdict.HANDLED:
            return event.answer
        if event.failure != "not-authorized":
            raise SaslFailure(event.failure, "Log in without the token.")
        return None
