"""XEP-0480: SASL Upgrade Tasks, for SCRAM: a client that knows the password lets us have keys of another hash function.

It is told a salt and a number of iterations, and answers with the SaltedPassword (RFC 5802, 3), of which we keep what
we keep of every password. The task is named after the mechanism without channel binding: "UPGR-SCRAM-SHA-256".
"""

from collections.abc import Iterable
from typing import Final

from .element import E, Element
from .errors import SaslFailure
from .sasl.exchange import decode_base64, encode
from .sasl.keys import DIGEST_SIZES, ScramKeys, keys_of_salted

NS: Final = "urn:xmpp:scram-upgrade:0"
HASH: Final = f"{{{NS}}}hash"
PREFIX: Final = "UPGR-SCRAM-"


def task_of(hash_name: str) -> str:
    """Return the name of the task that leads to keys of a hash function."""
    return PREFIX + hash_name


def hashes_of(tasks: Iterable[str], offered: Iterable[str]) -> list[str]:
    """Return the hash functions that `tasks` name, each once, as far as they are offered."""
    known = {task_of(name): name for name in offered}
    return list(dict.fromkeys(known[task] for task in tasks if task in known))


def salt(data: bytes, iterations: int) -> Element:
    """Return the `<salt/>` that a client makes its SaltedPassword with."""
    return E(f"{{{NS}}}salt", encode(data), iterations=iterations)


def read_hash(data: Element, hash_name: str, iterations: int, salt: bytes) -> ScramKeys:
    """Return the keys that a client's `<task-data/>` amounts to.

    :raises SaslFailure: ``malformed-request`` if it holds no `<hash/>` or one of another length, ``incorrect-encoding``
        if that is no base64.
    """
    text = data.text_of(HASH)
    if text is None:
        raise SaslFailure("malformed-request", "The task ends with a hash.")
    salted = decode_base64(text.strip())
    if salted is None:
        raise SaslFailure("incorrect-encoding")
    if len(salted) != DIGEST_SIZES[hash_name]:
        raise SaslFailure("malformed-request", "The hash has not the length of its function's.")
    return keys_of_salted(salted, hash_name, iterations, salt)
