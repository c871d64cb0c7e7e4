"""Who is it? The driver's half of SASL (RFC 6120, 6): what the mechanisms of `protocol.sasl` ask for is looked up here.

Only SCRAM keys are stored. An unknown account gets stable fake ones and costs the same. Deriving keys from a password
(PLAIN) takes milliseconds on purpose and runs off the loop. Failures are counted, and slow down whoever fails.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..protocol.errors import SaslFailure
from ..protocol.jid import Jid, JidError
from ..protocol.sasl.exchange import (
    Answer,
    Authenticated,
    Challenge,
    CheckCertificate,
    CheckPassword,
    CheckToken,
    Exchange,
    LookUp,
)
from ..protocol.sasl.scram import fake_keys
from .accounts import Accounts, Credentials, ScramKeys
from .credentials import HASHES, ITERATIONS, check_password
from .shards import StorageUnavailable
from .token_check import TokenCheck

InThread = Callable[..., Awaitable[Any]]


@dataclass(slots=True)
class Attempt:
    """One try to authenticate, and as whom.

    :ivar exchange: the mechanism's exchange.
    :ivar looks_up: told of the account before it is looked up: whoever disables or removes it from then on must know of
        this attempt, since it is not looked up again.
    :ivar tokens: what a token may be used for; None where there are none.
    :ivar username: the localpart that the client named, once it has; an account of that name need not exist.
    :ivar credentials: the account's keys, if they were looked up and it exists.
    :ivar is_enabled: whether the account may log in, once it was looked up.
    """

    exchange: Exchange
    looks_up: Callable[[Jid], None]
    tokens: TokenCheck | None = None
    username: str | None = None
    credentials: Credentials | None = None
    is_enabled: bool | None = None


class Login(NamedTuple):
    """An authenticated client.

    :ivar account: its bare JID.
    :ivar data: what the mechanism sends with the success.
    :ivar is_anonymous: whether the account exists for this session only.
    """

    account: Jid
    data: bytes
    is_anonymous: bool = False


@dataclass(slots=True)
class Authenticator:
    """Leads exchanges to their end.

    :ivar accounts: where the keys are.
    :ivar secret: what fake salts are made from; the same on every node and after every start.
    :ivar in_thread: runs a function off the loop.
    :ivar certificate_addresses: returns the bare JIDs that a client certificate (DER) names.
    """

    accounts: Accounts
    secret: bytes
    in_thread: InThread
    certificate_addresses: Callable[[bytes], list[str]]

    async def step(
        self, attempt: Attempt, data: bytes | None, host: Jid, certificate: bytes | None = None
    ) -> Challenge | Login:
        """Take what the client sent; return the challenge to send, or who the client is.

        :raises SaslFailure: the exchange has failed.
        """
        try:
            answer = attempt.exchange.step(data)
            while not isinstance(answer, (Challenge, Authenticated)):
                answer = await self._answer(attempt, answer, host, certificate)
            if isinstance(answer, Challenge):
                return answer
            return self._login(attempt, answer, host)
        except StorageUnavailable as error:
            raise SaslFailure("temporary-auth-failure", "The accounts cannot be looked up now.") from error

    async def _answer(self, attempt: Attempt, asked: Answer, host: Jid, certificate: bytes | None) -> Answer:
        exchange = attempt.exchange
        if isinstance(asked, LookUp):
            attempt.username = asked.localpart_text
            return exchange.keys(await self._keys(attempt, host, asked.localpart_text, asked.hash_name))
        if isinstance(asked, CheckPassword):
            attempt.username = asked.username
            return exchange.verified(await self._check(attempt, host, asked))
        if isinstance(asked, CheckToken):
            attempt.username = asked.username
            return exchange.checked(await self._by_token(attempt, host, asked))
        assert isinstance(asked, CheckCertificate)
        return exchange.verified(*await self._by_certificate(attempt, host, asked.authzid, certificate))

    async def _keys(self, attempt: Attempt, host: Jid, username: str, hash_name: str) -> ScramKeys:
        credentials = await self._credentials(attempt, host, username)
        kept = (credentials or {}).get(hash_name)
        return fake_keys(self.secret, f"{username}@{host}", hash_name, ITERATIONS) if kept is None else kept

    async def _credentials(self, attempt: Attempt, host: Jid, username: str) -> Credentials | None:
        try:
            jid = Jid.make(username, host)
        except JidError:
            return None
        attempt.looks_up(jid)
        kept = await self.accounts.credentials(jid)
        attempt.credentials = kept
        attempt.is_enabled = None if kept is None else kept.is_enabled
        return kept

    async def _check(self, attempt: Attempt, host: Jid, asked: CheckPassword) -> bool:
        credentials: Credentials | None = await self._credentials(attempt, host, asked.username)
        known = credentials is not None and bool(credentials)
        if credentials is None or not known:
            name = HASHES[-1]
            credentials = {name: fake_keys(self.secret, f"{asked.username}@{host}", name, ITERATIONS)}
        fits: bool = await self.in_thread(check_password, asked.password, credentials)
        return fits and known

    async def _by_token(self, attempt: Attempt, host: Jid, asked: CheckToken) -> bytes | None:
        """Return the answer to a token; None if it is not one of the account's."""
        assert attempt.tokens is not None, "its mechanism was not offered"
        credentials = await self._credentials(attempt, host, asked.username)
        return await attempt.tokens.answer(Jid.make(asked.username, host), asked, credentials)

    async def _by_certificate(
        self, attempt: Attempt, host: Jid, authzid: str, certificate: bytes | None
    ) -> tuple[bool, str | None]:
        """Say which account of `host` a verified certificate stands for (XEP-0178)."""
        named = await self._named(host, certificate)
        chosen = choose(named, authzid)
        if chosen is None:
            return False, None
        attempt.looks_up(chosen)
        account = await self.accounts.get(chosen)
        attempt.is_enabled = None if account is None else account.enabled
        return account is not None, chosen.localpart

    async def _named(self, host: Jid, certificate: bytes | None) -> list[Jid]:
        """Return the accounts of `host` that a certificate names."""
        if certificate is None:
            return []
        named = []
        for address in self.certificate_addresses(certificate):
            try:
                jid = Jid.parse(address)
            except JidError:
                continue
            if jid.is_bare and jid.localpart and jid.domainpart == host and await self.accounts.get(jid) is not None:
                named.append(jid)
        return named

    def _login(self, attempt: Attempt, answer: Authenticated, host: Jid) -> Login:
        if answer.username is None:
            return Login(Jid.make(secrets.token_hex(16), host), answer.data, is_anonymous=True)
        if attempt.is_enabled is None:
            raise SaslFailure("not-authorized")
        if not attempt.is_enabled:
            raise SaslFailure("account-disabled", "This account is disabled.")
        return Login(Jid.make(answer.username, host), answer.data)


def choose(named: list[Jid], authzid: str) -> Jid | None:
    """Return which of the accounts that a certificate names the client is: the one it asks for, or the only one.

    :raises SaslFailure: it asks for one that is not named (XEP-0178, 2).
    """
    if not authzid:
        return named[0] if len(named) == 1 else None
    try:
        wanted = Jid.parse(authzid)
    except JidError:
        raise SaslFailure("invalid-authzid") from None
    if wanted not in named:
        raise SaslFailure("invalid-authzid" if named else "not-authorized")
    return wanted
