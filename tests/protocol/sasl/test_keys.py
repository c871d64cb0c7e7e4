"""SCRAM keys: RFC 5802, 3."""

import hashlib

import pytest
import scramp

from xmppd.protocol.precis import PrecisError
from xmppd.protocol.sasl.keys import (
    DIGEST_SIZES,
    DIGESTS,
    ITERATIONS,
    SALT_BYTES,
    check_password,
    derive,
    fake_keys,
    keys_of_salted,
)

SALT = b"saltsaltsaltsalt"


@pytest.mark.parametrize("hash_name", DIGESTS)
@pytest.mark.parametrize("password", ["pencil", "p\u00e4ss w\u00f6rd"])
def test_keys_are_those_of_an_independent_implementation(hash_name: str, password: str) -> None:
    """scramp derives the same keys, for any password whose SASLprep and OpaqueString forms agree."""
    salt, stored_key, server_key, iterations = scramp.ScramMechanism(f"SCRAM-{hash_name}").make_auth_info(
        password, iteration_count=4096, salt=SALT
    )
    keys = derive(password, hash_name, 4096, SALT)
    assert (keys.salt, keys.stored_key, keys.server_key, keys.iterations) == (salt, stored_key, server_key, iterations)


@pytest.mark.parametrize("password", ["", "pen\x00cil", "pen\u200bcil"])
def test_no_keys_for_what_is_no_password(password: str) -> None:
    """RFC 8265, 4.2: OpaqueString refuses it."""
    with pytest.raises(PrecisError):
        derive(password, "SHA-1", 1, SALT)
    assert not check_password(password, derive("pencil", "SHA-1", 1, SALT), "SHA-1")


@pytest.mark.parametrize("hash_name", DIGESTS)
def test_a_password_fits_its_own_keys_alone(hash_name: str) -> None:
    """The comparison derives with the salt and the count of the keys."""
    keys = derive("pen\u00a0cil", hash_name, 7, SALT)
    assert check_password("pen cil", keys, hash_name)
    assert not check_password("pencil", keys, hash_name)
    assert not check_password("Pen cil", keys, hash_name)


@pytest.mark.parametrize("hash_name", DIGESTS)
def test_a_stranger_looks_like_an_account(hash_name: str) -> None:
    """Fake keys have the form of real ones and are the same each time."""
    fake = fake_keys(b"s" * 32, "nobody", hash_name)
    real = derive("pencil", hash_name, ITERATIONS, SALT)
    assert fake == fake_keys(b"s" * 32, "nobody", hash_name)
    assert len(fake.salt) == SALT_BYTES
    assert fake.iterations == real.iterations
    assert len(fake.stored_key) == len(real.stored_key)
    assert len(fake.server_key) == len(real.server_key)


def test_strangers_differ() -> None:
    """Every name, hash function and server has fake salts of its own, and no two parts of the keys are alike."""
    fakes = [
        fake_keys(secret, name, hash_name)
        for secret in (b"s" * 32, b"t" * 32)
        for name in ("nobody", "nemo")
        for hash_name in DIGESTS
    ]
    assert len({part for keys in fakes for part in (keys.salt, keys.stored_key, keys.server_key)}) == 36


@pytest.mark.parametrize("hash_name", DIGESTS)
def test_the_salted_password_leads_to_the_same_keys(hash_name: str) -> None:
    """RFC 5802, 3: SaltedPassword is all that a client need tell (XEP-0480)."""
    salted = hashlib.pbkdf2_hmac(DIGESTS[hash_name], b"pencil", SALT, 7)
    assert len(salted) == DIGEST_SIZES[hash_name]
    assert keys_of_salted(salted, hash_name, 7, SALT) == derive("pencil", hash_name, 7, SALT)
