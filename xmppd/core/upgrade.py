"""The upgrade tasks of one login (XEP-0480): keys of the hash functions that a client wants to use and we lack.

Only who has just proved to know the password may give us others of it: a token, or a certificate, must not become a
password.
"""

import secrets

from ..protocol.element import Element
from ..protocol.errors import SaslFailure
from ..protocol.jid import Jid
from ..protocol.sasl.keys import SALT_BYTES
from ..protocol.scram_upgrade import read_hash, salt, task_of
from .accounts import Accounts, Credentials
from .credentials import ITERATIONS
from .shards import StorageUnavailable


class Upgrades:
    """What is still to be done, one hash function after another.

    :param credentials: the keys that the client has authenticated with, and those beside them.
    :param wanted: the hash functions that it asks for.
    """

    def __init__(self, accounts: Accounts, account: Jid, credentials: Credentials, wanted: list[str]) -> None:
        self._accounts = accounts
        self._account = account
        self._credentials = credentials
        self._left = [name for name in wanted if name not in credentials]
        self._salt = b""

    @property
    def task(self) -> str:
        """The name of the task that is due; empty if none is."""
        return task_of(self._left[0]) if self._left else ""

    def begin(self, task: str) -> Element:
        """Begin the task that is due; return what the client needs for it.

        :raises SaslFailure: it begins another one.
        """
        if not task or task != self.task:
            raise SaslFailure("malformed-request", "That task is not due.")
        self._salt = secrets.token_bytes(SALT_BYTES)
        return salt(self._salt, ITERATIONS)

    async def finish(self, data: Element) -> None:
        """Take what the client has made of the password, and keep what we keep of it.

        :raises SaslFailure: it makes no sense, or the password was changed meanwhile.
        """
        name = self._left[0]
        keys = read_hash(data, name, ITERATIONS, self._salt)
        try:
            fits = await self._accounts.add_credentials(self._account, {name: keys}, self._credentials)
        except StorageUnavailable as error:
            raise SaslFailure("temporary-auth-failure", "The accounts cannot be reached now.") from error
        if not fits:
            raise SaslFailure("credentials-expired", "The password was changed meanwhile.")
        self._left.pop(0)
