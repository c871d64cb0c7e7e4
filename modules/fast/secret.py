"""What a token is made of, and how it is told from others.

HT's proofs are made with the token itself, so a server that is to check them must have it: a hash of it would not do.
It is kept nowhere all the same. It is derived from a random serial number, which the database keeps, and the server's
secret, which the data folder keeps: who steals the database alone has no token, and who steals both has all of them.
Another secret makes every token worthless; clients then log in by their password.
"""

import hmac
from base64 import urlsafe_b64encode
from typing import Final

from xmppd.protocol.jid import Jid

SERIAL_BYTES: Final = 24


def token_of(secret: bytes, account: Jid, client: str, mechanism: str, serial: bytes) -> str:
    """Return the token of a serial number: 43 characters of printable ASCII, different for whatever it is made of."""
    parts = (b"FAST token", account.encode(), client.encode(), mechanism.encode(), serial.hex().encode())
    return urlsafe_b64encode(hmac.digest(secret, b"\0".join(parts), "sha256")).decode("ascii").rstrip("=")
