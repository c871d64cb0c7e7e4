"""XEP-0484: Fast Authentication Streamlining Tokens: a client is back in one round trip, and keeps no password.

* `sasl.hashed_token` in the protocol has the mechanisms, `secret` says what a token is, `store` keeps what it is of.
* `api` lets other modules see who has tokens, and take them away.

A token belongs to one client of one account, is good for the mechanism that was asked for, and ends with its lifetime,
with the password that held when it was given, and with the account. A client that logs in gets another one from time to
time; the old one stays good until the new one is used.
"""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from xmppd.config.schema import Duration, option
from xmppd.core.accounts import Accounts, Credentials
from xmppd.core.client_context import ClientContext
from xmppd.core.clock import Clock
from xmppd.core.credentials import marks
from xmppd.core.events import AccountDisabled, AccountRemoved, InlineFeatures, LoginSucceeding, TokenShown
from xmppd.core.hooks import Phase, Verdict, collect, notice, on
from xmppd.core.metrics import Metrics, Tally, counter
from xmppd.core.module import Module, Xep
from xmppd.core.shards import Shards
from xmppd.protocol.fast import REQUEST_TOKEN, token
from xmppd.protocol.jid import Jid
from xmppd.protocol.sasl.hashed_token import BINDINGS, initiator_proof, offered, responder_proof

from .api import Tokens
from .secret import SERIAL_BYTES, token_of
from .store import CURRENT, FRESH, Kept, TokenStore

NEAR_ITS_END: Final = 0.25
"""What part of its lifetime a token has left when its client gets another one, however long that is said to take."""


@dataclass(slots=True)
class Config:
    """How long clients can come back without a password."""

    lifetime: Duration = option(
        Duration("21d"), ge=Duration("1h"), live=True, help="For how long a token is good if its client does not come."
    )
    rotation: Duration = option(
        Duration("1d"), ge=Duration("0s"), live=True, help="After how long a client that comes gets another token."
    )
    clients: int = option(50, ge=1, le=1000, live=True, help="How many clients of one account may have tokens.")


class FastMetrics(Metrics):
    """What became of tokens."""

    issued: int = counter("Tokens given to clients.")
    shown: Tally = counter("Tokens that clients showed.", labels=("result",))


@dataclass(slots=True)
class Fast(Module):
    """Gives clients tokens, and lets them in by these."""

    name: ClassVar = "fast"
    xeps: ClassVar = (Xep(484, "0.2.0", leaves_out="early data of TLS"),)
    offered: ClassVar = (Tokens,)

    accounts: Accounts
    clients: ClientContext
    clock: Clock
    config: Config
    counters: FastMetrics
    shards: Shards
    _store: TokenStore = field(init=False)

    def __post_init__(self) -> None:
        self._store = TokenStore(self.shards)

    def offers(self) -> Mapping[type, Any]:
        """Return the tokens."""
        return {Tokens: AllTokens(self._store, self.clock)}

    @collect(InlineFeatures)
    async def offer(self, event: InlineFeatures) -> None:
        """Server advertises support for FAST: with channel binding where there is one, under TLS only."""
        event.tokens += offered(tls=event.secure, channel_bindings=event.bindings)

    @on(TokenShown, Phase.DELIVER)
    async def check(self, event: TokenShown) -> Verdict:
        """Client authenticates using FAST: compare first, and look at all else only if that fits."""
        kept = await self._store.of(event.account, event.client)
        found = self._matching(event, kept)
        refused = "not-authorized" if found is None else self._refusal(event, found)
        if found is None or refused or not await self._use(event, found, replaces=len(kept) > 1):
            event.failure = refused or "not-authorized"
            self.counters.shown[event.failure] += 1
            return Verdict.DROP
        event.is_due = not event.use.invalidates and self._is_due(found)
        self.counters.shown["accepted"] += 1
        return Verdict.HANDLED

    def _matching(self, event: TokenShown, kept: list[Kept]) -> Kept | None:
        """Return the token that the client has; two are compared however many there are, in the time of two."""
        by_slot = {each.slot: each for each in kept}
        matching = None
        for slot in (FRESH, CURRENT):
            known = by_slot.get(slot, NONE)
            text = self._text(event.account, event.client, known.mechanism, known.serial).encode()
            fits = hmac.compare_digest(initiator_proof(text, event.binding), event.proof)
            if fits and known.mechanism == event.mechanism and matching is None:
                matching, event.answer = known, responder_proof(text, event.binding)
        return matching

    def _refusal(self, event: TokenShown, found: Kept) -> str:
        """Return why a token that is known is good no more; an empty text if it is good."""
        if found.expires <= self.clock.seconds() or found.mark not in _marks(event.credentials):
            return "credentials-expired"
        count = event.use.count
        return "not-authorized" if count is not None and count <= found.count else ""

    async def _use(self, event: TokenShown, found: Kept, *, replaces: bool) -> bool:
        """Note that a token was used, where that changes anything: most logins write nothing."""
        account, client, use = event.account, event.client, event.use
        if use.invalidates:
            return await self._store.drop(account, client)
        if found.slot == CURRENT and use.count is None:
            return True
        return await self._store.use(account, client, found, use.count, replaces=replaces)

    def _is_due(self, found: Kept) -> bool:
        rotates = found.issued + self.config.rotation
        ends = found.expires - NEAR_ITS_END * (found.expires - found.issued)
        return self.clock.seconds() >= min(rotates, ends)

    @collect(LoginSucceeding)
    async def give(self, event: LoginSucceeding) -> None:
        """Server provides token to client: to one that asks and says who it is, and to one whose token is due."""
        mechanism = _wanted(event)
        if mechanism not in BINDINGS or not event.client:
            return
        credentials = event.credentials
        if credentials is None:
            credentials = await self.accounts.credentials(event.account)
        now = self.clock.seconds()
        serial = secrets.token_bytes(SERIAL_BYTES)
        kept = Kept(FRESH, mechanism, serial, _marks(credentials)[0], now, now + self.config.lifetime)
        await self._store.issue(event.account, event.client, kept, self.config.clients)
        self.counters.issued += 1
        event.answers.append(token(self._text(event.account, event.client, mechanism, serial), kept.expires))

    def _text(self, account: Jid, client: str, mechanism: str, serial: bytes) -> str:
        return token_of(self.clients.authenticator.secret, account, client, mechanism, serial)

    @notice(AccountDisabled)
    async def disabled(self, event: AccountDisabled) -> None:
        """An account that is enabled again begins with its password."""
        await self._store.forget(event.jid)

    @notice(AccountRemoved)
    async def removed(self, event: AccountRemoved) -> None:
        """Nothing is left of an account that is gone."""
        await self._store.forget(event.jid)


NONE: Final = Kept(CURRENT, "", b"", b"", 0.0, 0.0)
"""Stands where there is no token: its proof is computed, too, and nobody can have it."""


@dataclass(frozen=True, slots=True)
class AllTokens:
    """Implements `api.Tokens`."""

    store: TokenStore
    clock: Clock

    async def clients(self, account: Jid, valid: Collection[bytes]) -> dict[str, float]:
        """Return the clients of an account that can log in by a token, and when they got it."""
        return await self.store.clients(account, self.clock.seconds(), valid or (b"",))

    async def drop(self, account: Jid, client: str) -> bool:
        """Let a client do so no more; return whether it could."""
        return await self.store.drop(account, client)


def _marks(credentials: Credentials | None) -> list[bytes]:
    """Return the marks of the password; a single empty one for an account that has none."""
    return marks(credentials or {}) or [b""]


def _wanted(event: LoginSucceeding) -> str:
    """Return the mechanism that a token is wanted for: by the client, or because its old one is due; else nothing."""
    request = event.request.request(REQUEST_TOKEN)
    if request is not None:
        return request.get("mechanism") or ""
    return event.mechanism if event.shown is not None and event.shown.is_due else ""
