"""SCRAM as the client does it: the examples of RFC 5802 and RFC 7677, and what it refuses."""

from pathlib import Path

import pytest

from bench.scram import SaltedPasswords, Scram, ScramError, attributes

SHA1_SERVER_FIRST = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
SHA256_SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def scram(mechanism: str, nonce: bytes) -> Scram:
    return Scram(mechanism, b"user", b"pencil", SaltedPasswords(), nonce)


def test_scram_sha_1_example() -> None:
    """RFC 5802, 5: the whole exchange."""
    client = scram("SCRAM-SHA-1", b"fyko+d2lbbFgONRv9qkxdawL")
    assert client.first() == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    assert client.final(SHA1_SERVER_FIRST) == (
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    client.check(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")


def test_scram_sha_256_example() -> None:
    """RFC 7677, 3: the whole exchange."""
    client = scram("SCRAM-SHA-256", b"rOprNGfwEbeRWgbNEkqO")
    assert client.final(SHA256_SERVER_FIRST).endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_a_wrong_server_signature_is_refused() -> None:
    """RFC 5802, 3: the client checks that the server knows the account."""
    client = scram("SCRAM-SHA-1", b"fyko+d2lbbFgONRv9qkxdawL")
    client.final(SHA1_SERVER_FIRST)
    with pytest.raises(ScramError, match="signature"):
        client.check(b"v=AAAA")


def test_a_foreign_nonce_is_refused() -> None:
    """RFC 5802, 5.1: the server's nonce begins with the client's."""
    with pytest.raises(ScramError, match="nonce"):
        scram("SCRAM-SHA-1", b"other").final(SHA1_SERVER_FIRST)


def test_what_is_no_first_message_is_refused() -> None:
    """A message without nonce, salt or iterations cannot be answered."""
    with pytest.raises(ScramError, match="server-first"):
        scram("SCRAM-SHA-1", b"x").final(b"e=other-error")


def test_names_are_escaped() -> None:
    """RFC 5802, 5.1: a comma and an equals sign in a name are written as =2C and =3D."""
    assert Scram("SCRAM-SHA-1", b"a,b=c", b"", SaltedPasswords(), b"n").first() == b"n,,n=a=2Cb=3Dc,r=n"


def test_attributes_keep_equals_signs_in_values() -> None:
    """Base64 ends in equals signs."""
    assert attributes(b"r=x,s=W22ZaJ==,i=1") == {b"r": b"x", b"s": b"W22ZaJ==", b"i": b"1"}


def test_salted_passwords_are_kept(tmp_path: Path) -> None:
    """What was computed once is read from the file by the next run."""
    first = SaltedPasswords(tmp_path / "salts.json")
    salted = first("sha1", b"pencil", b"salt", 2)
    first.save()
    again = SaltedPasswords(tmp_path / "salts.json")
    assert again._known == first._known
    assert again("sha1", b"pencil", b"salt", 2) == salted
    assert [path.name for path in tmp_path.iterdir()] == ["salts.json"]
