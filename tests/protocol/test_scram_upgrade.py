"""XEP-0480: SASL Upgrade Tasks for SCRAM."""

import hashlib
from base64 import b64encode

import pytest

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.sasl.keys import derive
from xmppd.protocol.sasl2 import task_data
from xmppd.protocol.scram_upgrade import HASH, hashes_of, read_hash, salt, task_of
from xmppd.protocol.writer import serialise

SALT = b"A_SXCRXQ6sek8bf_Z"


def answer(salted: bytes) -> Element:
    return task_data(E(HASH, f"\n{b64encode(salted).decode()}\n"))


def test_tasks_are_called_after_the_mechanism() -> None:
    """Server advertising possible upgrade tasks: without channel binding in the name."""
    assert task_of("SHA-256") == "UPGR-SCRAM-SHA-256"


def test_what_was_not_offered_is_not_done() -> None:
    """Client requesting SASL upgrades: one or more of those that it was offered, each once."""
    wanted = ["UPGR-SCRAM-SHA-512", "UPGR-BLOOP2", "UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512", "UPGR-SCRAM-SHA-1"]
    assert hashes_of(wanted, ["SHA-256", "SHA-512"]) == ["SHA-512", "SHA-256"]


def test_the_salt() -> None:
    """SCRAM upgrade tasks: salt and iterations, without the prefixes that SCRAM writes."""
    assert serialise(salt(SALT, 4096)) == (
        b"<salt xmlns='urn:xmpp:scram-upgrade:0' iterations='4096'>QV9TWENSWFE2c2VrOGJmX1o=</salt>"
    )


@pytest.mark.parametrize(("name", "digest"), [("SHA-256", "sha256"), ("SHA-512", "sha512")])
def test_the_salted_password_is_as_good_as_the_password(name: str, digest: str) -> None:
    """SCRAM upgrade tasks: what is kept is what the password itself would have led to."""
    salted = hashlib.pbkdf2_hmac(digest, b"pencil", SALT, 4096)
    assert read_hash(answer(salted), name, 4096, SALT) == derive("pencil", name, 4096, SALT)


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (task_data(), "malformed-request"),
        (task_data(E(HASH)), "malformed-request"),
        (answer(b"s" * 31), "malformed-request"),
        (answer(b"s" * 64), "malformed-request"),
        (task_data(E(HASH, "*")), "incorrect-encoding"),
    ],
)
def test_what_is_no_hash_of_the_function(data: Element, condition: str) -> None:
    """SCRAM upgrade tasks: the hash must not be empty."""
    with pytest.raises(SaslFailure) as refusal:
        read_hash(data, "SHA-256", 4096, SALT)
    assert refusal.value.condition == condition
