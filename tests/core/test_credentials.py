"""Passwords and the SCRAM keys that are kept of them."""

import pytest

from xmppd.core.credentials import HASHES, ITERATIONS, check_password, derive_all, marks
from xmppd.protocol.sasl.scram import derive


def test_keys_for_every_hash_function() -> None:
    """Each hash function has keys of its own salt, derived as RFC 5802 says."""
    credentials = derive_all("pencil", 4096)
    assert tuple(credentials) == HASHES
    assert len({keys.salt for keys in credentials.values()}) == len(HASHES)
    for name, keys in credentials.items():
        assert len(keys.salt) == 16
        assert keys == derive("pencil", name, 4096, keys.salt)


def test_iterations_by_default() -> None:
    """RFC 7677 asks for 4096 iterations at least."""
    assert ITERATIONS >= 4096
    assert derive_all("pencil")["SHA-1"].iterations == ITERATIONS


def test_check_password() -> None:
    """The right password fits, another one does not."""
    credentials = derive_all("pencil", 1)
    assert check_password("pencil", credentials)
    assert not check_password("Pencil", credentials)
    assert not check_password("", credentials)


def test_prepared_alike() -> None:
    """Passwords are compared as OpaqueString prepares them (RFC 8265): a non-ASCII space is a space."""
    assert check_password("a b", derive_all("a\u00a0b", 1))


def test_strongest_keys_decide() -> None:
    """Where accounts have keys of one hash function only, those decide; without any nothing fits."""
    credentials = derive_all("pencil", 1)
    assert check_password("pencil", {"SHA-1": credentials["SHA-1"]})
    assert not check_password("pencil", {"SHA-512": derive_all("other", 1)["SHA-512"], "SHA-1": credentials["SHA-1"]})
    assert not check_password("pencil", {})


@pytest.mark.parametrize("password", ["", "a\x00b", "\u0627\x07"])
def test_forbidden_passwords(password: str) -> None:
    """An empty password, and what OpaqueString forbids, is refused."""
    with pytest.raises(ValueError):
        derive_all(password, 1)


def test_marks_tell_one_password_from_another() -> None:
    """Each hash function has a mark of its own; keys that come or go leave the others' as they are."""
    credentials = derive_all("pencil", 1)
    assert len(set(marks(credentials))) == len(HASHES)
    assert marks({"SHA-1": credentials["SHA-1"]}) == marks(credentials)[-1:]
    assert not {*marks(credentials)} & {*marks(derive_all("pencil", 1))}, "the same password, set anew, is another one"
    assert marks({}) == []
