"""SCRAM: RFC 5802, RFC 7677, and against an independent client."""

import hashlib
from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import Any

import pytest
import scramp

from xmppd.protocol.errors import Misuse, SaslFailure
from xmppd.protocol.sasl.choice import MECHANISMS
from xmppd.protocol.sasl.exchange import Answer, Authenticated, Challenge, Context, LookUp
from xmppd.protocol.sasl.scram import DIGESTS, Scram, derive, fake_keys, offer_hash

BINDINGS = {"tls-server-end-point": b"\x01" * 32, "tls-exporter": b"\x02" * 32}
WITHOUT_PLUS = [name for name in MECHANISMS if not name.endswith("-PLUS")]
SALT = b"saltsaltsaltsalt"
FIRST = b"n,,n=user,r=client"


def scram(
    hash_name: str = "SHA-1",
    *,
    plus: bool = False,
    offered: Collection[str] = WITHOUT_PLUS,
    bindings: Mapping[str, bytes] = BINDINGS,
    nonce: str = "server",
) -> Scram:
    return Scram(Context("example.com", offered, bindings, lambda: nonce), hash_name, plus)


def refusal_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(SaslFailure) as refusal:
        call(*arguments)
    return refusal.value.condition


def at_final(password: str = "pencil", *, plus: bool = False, first: bytes = FIRST) -> tuple[Scram, bytes]:
    """Return an exchange that waits for the client's final message, and the server's first."""
    exchange = scram(plus=plus)
    assert exchange.step(first) == LookUp("user", "SHA-1")
    answer = exchange.keys(derive(password, "SHA-1", 4096, SALT))
    assert isinstance(answer, Challenge)
    return exchange, answer.data


@pytest.mark.parametrize(
    ("hash_name", "client", "server", "salt", "proof", "signature"),
    [
        (
            "SHA-1",
            "fyko+d2lbbFgONRv9qkxdawL",
            "3rfcNHYJY1ZVvWVs7j",
            "QSXCR+Q6sek8bf92",
            "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "SHA-256",
            "rOprNGfwEbeRWgbNEkqO",
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
            "W22ZaJ0SNY7soEsUEjb6gQ==",
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
)
def test_the_examples_of_the_rfcs(
    hash_name: str, client: str, server: str, salt: str, proof: str, signature: str
) -> None:
    """RFC 5802, 5 and RFC 7677, 3."""
    from base64 import b64decode

    exchange = scram(hash_name, nonce=server)
    assert exchange.step(f"n,,n=user,r={client}".encode()) == LookUp("user", hash_name)
    challenge = exchange.keys(derive("pencil", hash_name, 4096, b64decode(salt)))
    assert challenge == Challenge(f"r={client}{server},s={salt},i=4096".encode())
    success = exchange.step(f"c=biws,r={client}{server},p={proof}".encode())
    assert success == Authenticated("user", f"v={signature}".encode())


@pytest.mark.parametrize("hash_name", DIGESTS)
@pytest.mark.parametrize("plus", [False, True])
@pytest.mark.parametrize("username", ["user", "a,b=c"])
def test_an_independent_client_gets_in(hash_name: str, plus: bool, username: str) -> None:
    """scramp speaks first and accepts the server's signature, with tls-server-end-point and without binding."""
    name = f"SCRAM-{hash_name}" + ("-PLUS" if plus else "")
    binding = ("tls-server-end-point", BINDINGS["tls-server-end-point"]) if plus else None
    client = scramp.ScramClient([name], username, "p\u00e4ssword", channel_binding=binding)
    exchange = scram(hash_name, plus=plus)

    assert exchange.step(client.get_client_first().encode()) == LookUp(username, hash_name)
    challenge = exchange.keys(derive("p\u00e4ssword", hash_name, 4096, SALT))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.data.decode())
    success = exchange.step(client.get_client_final().encode())
    assert isinstance(success, Authenticated)
    assert success.username == username
    client.set_server_final(success.data.decode())


@pytest.mark.parametrize("plus", [False, True])
def test_an_independent_client_with_a_wrong_password(plus: bool) -> None:
    """The proof does not yield the stored key."""
    binding = ("tls-server-end-point", BINDINGS["tls-server-end-point"]) if plus else None
    client = scramp.ScramClient(
        ["SCRAM-SHA-1-PLUS" if plus else "SCRAM-SHA-1"], "user", "eraser", channel_binding=binding
    )
    exchange, first = at_final(plus=plus, first=client.get_client_first().encode())
    client.set_server_first(first.decode())
    assert refusal_of(exchange.step, client.get_client_final().encode()) == "not-authorized"


def test_an_independent_client_behind_another_certificate() -> None:
    """Somebody in between ends TLS with a certificate of his own: the bindings differ."""
    client = scramp.ScramClient(
        ["SCRAM-SHA-1-PLUS"], "user", "pencil", channel_binding=("tls-server-end-point", b"\x09" * 32)
    )
    exchange, first = at_final(plus=True, first=client.get_client_first().encode())
    client.set_server_first(first.decode())
    assert refusal_of(exchange.step, client.get_client_final().encode()) == "not-authorized"


def test_a_stranger_gets_as_far_as_an_account() -> None:
    """An account that does not exist has a salt, and no proof fits."""
    client = scramp.ScramClient(["SCRAM-SHA-256"], "nobody", "pencil")
    exchange = scram("SHA-256")
    exchange.step(client.get_client_first().encode())
    challenge = exchange.keys(fake_keys(b"s" * 32, "nobody", "SHA-256"))
    assert isinstance(challenge, Challenge)
    client.set_server_first(challenge.data.decode())
    assert refusal_of(exchange.step, client.get_client_final().encode()) == "not-authorized"


@pytest.mark.parametrize(
    "message",
    [
        "n,,n=user,r=client",
        "n,a=user@example.com,n=user,r=client",
        "n,a=USER@example.com,n=User,r=client",
        "n,,n=\uff35ser,r=client",
        "n,,n=user,r=client,x=an extension,y=\u00e9",
        "y,,n=user,r=client",
    ],
)
def test_first_messages(message: str) -> None:
    """RFC 5802, 7: optional parts, unknown extensions, names in any spelling."""
    assert scram().step(message.encode()) == LookUp("user", "SHA-1")


def test_a_comma_and_an_equals_sign_in_a_name() -> None:
    """RFC 5802, 5.1: =2C and =3D, decoded once."""
    assert scram().step(b"n,,n=a=2Cb=3Dc=3D2C,r=client") == LookUp("a,b=c=2c", "SHA-1")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n",
        b"n,,",
        b"n,,n=user",
        b"n,,n=,r=client",
        b"n,,r=client,n=user",
        b"n,,n=user,r=",
        b"n,,n=user,r=cli ent",
        b"n,,n=user,r=cli\x7fent",
        b"n,,n=user,r=client,",
        b"n,,n=user,r=client,x=",
        b"n,,n=user,r=client,xy=1",
        b"n,,n=us=2cer,r=client",
        b"n,,n=us=er,r=client",
        b"n,,n=us=2,r=client",
        b"n,,n=us\0er,r=client",
        b"n,a=,n=user,r=client",
        b"n,b=user,n=user,r=client",
        b"n,,n=user,r=\xc3\xa9",
        b"n,,n=\xff,r=client",
        b"x,,n=user,r=client",
        b"N,,n=user,r=client",
        b"n,n=user,r=client",
        b"n,,m=ext,n=user,r=client",
        b"n,,n=user,r=client,m=ext",
        b"p=,,n=user,r=client",
        b"p,,n=user,r=client",
    ],
)
def test_malformed_first_messages(message: bytes) -> None:
    """RFC 5802, 7; a mandatory extension (m=) is none that we know (5.1)."""
    assert refusal_of(scram().step, message) == "malformed-request"


def test_identities_in_the_first_message() -> None:
    """An authorisation identity is the account's own; a name that no account can have gets nowhere."""
    assert refusal_of(scram().step, b"n,a=other@example.com,n=user,r=c") == "invalid-authzid"
    assert refusal_of(scram().step, "n,,n=us\u200ber,r=c".encode()) == "not-authorized"


def test_downgrade_is_noticed() -> None:
    """RFC 5802, 6: a client that saw no -PLUS where one was offered has been deceived."""
    assert refusal_of(scram(offered=list(MECHANISMS)).step, b"y,,n=user,r=client") == "not-authorized"
    assert scram(offered=list(MECHANISMS)).step(FIRST) == LookUp("user", "SHA-1")


@pytest.mark.parametrize(
    ("plus", "message"),
    [
        (False, b"p=tls-exporter,,n=user,r=client"),
        (True, b"n,,n=user,r=client"),
        (True, b"y,,n=user,r=client"),
        (True, b"p=tls-unique,,n=user,r=client"),
    ],
)
def test_binding_must_fit_the_mechanism(plus: bool, message: bytes) -> None:
    """RFC 5802, 6: -PLUS and p= go together, with a type that this connection has."""
    assert refusal_of(scram(plus=plus).step, message) == "malformed-request"


@pytest.mark.parametrize("kind", BINDINGS)
@pytest.mark.parametrize("hash_name", DIGESTS)
def test_each_type_of_binding(kind: str, hash_name: str) -> None:
    """RFC 5802, 6 and RFC 9266: the data of the named type is what the client must repeat."""
    exchange = scram(hash_name, plus=True)
    first = f"p={kind},,n=user,r=client".encode()
    exchange.step(first)
    challenge = exchange.keys(derive("pencil", hash_name, 10, SALT))
    assert isinstance(challenge, Challenge)
    answer = exchange.step(final(hash_name, challenge.data, f"p={kind},,".encode() + BINDINGS[kind]))
    assert isinstance(answer, Authenticated)


def final(
    hash_name: str, server_first: bytes, bound: bytes, *, extension: str = "", nonce: str = "clientserver"
) -> bytes:
    """Return the final message of a client that knows the password, written from RFC 5802, 3, alone."""
    import hashlib
    import hmac
    from base64 import b64encode

    digest = DIGESTS[hash_name]
    iterations = int(server_first.rpartition(b"i=")[2])
    salted = hashlib.pbkdf2_hmac(digest, b"pencil", SALT, iterations)
    client_key = hmac.digest(salted, b"Client Key", digest)
    unproven = f"c={b64encode(bound).decode()},r={nonce}{extension}"
    signed = b"n=user,r=client," + server_first + b"," + unproven.encode()
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), signed, digest)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return f"{unproven},p={b64encode(proof).decode()}".encode()


def test_extensions_of_the_final_message_are_signed_too() -> None:
    """RFC 5802, 7: unknown ones are ignored, but belong to the signed text."""
    exchange, first = at_final()
    answer: Answer = exchange.step(final("SHA-1", first, b"n,,", extension=",x=1"))
    assert isinstance(answer, Authenticated)


@pytest.mark.parametrize(
    ("bound", "nonce"),
    [(b"n,,", "clientserver!"), (b"n,,", "client"), (b"n,,", "x"), (b"y,,", "clientserver"), (b"n,,x", "clientserver")],
)
def test_nonce_and_header_must_be_those_of_the_first_messages(bound: bytes, nonce: str) -> None:
    """RFC 5802, 5.1: even a proof that is right for what it signs does not help."""
    exchange, first = at_final()
    assert refusal_of(exchange.step, final("SHA-1", first, bound, nonce=nonce)) == "not-authorized"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"c=biws",
        b"c=biws,r=clientserver",
        b"c=biws,r=clientserver,p=",
        b"c=biws,r=clientserver,p=AAAA",
        b"c=biws,r=clientserver,p=" + b"A" * 28,
        b"c=biw,r=clientserver,p=" + b"A" * 27 + b"=",
        b"c=bi\xc3\xa9s,r=clientserver,p=" + b"A" * 27 + b"=",
        b"r=clientserver,c=biws,p=" + b"A" * 27 + b"=",
        b"c=biws,r=clientserver,m=1,p=" + b"A" * 27 + b"=",
        b"c=biws,r=clientserver,p=" + b"A" * 27 + b"=,x=1",
        b"\xff",
    ],
)
def test_malformed_final_messages(message: bytes) -> None:
    """RFC 5802, 7: a proof has the length of the hash; what follows it is nothing."""
    exchange, _ = at_final()
    assert refusal_of(exchange.step, message) == "malformed-request"


def test_a_wrong_proof_is_not_authorized() -> None:
    """Any twenty bytes are a proof of something."""
    exchange, _ = at_final()
    assert refusal_of(exchange.step, b"c=biws,r=clientserver,p=" + b"A" * 27 + b"=") == "not-authorized"


def test_order_of_calls() -> None:
    """Messages wait for the keys, and keys come once."""
    exchange = scram()
    exchange.step(FIRST)
    with pytest.raises(Misuse):
        exchange.step(b"c=biws,r=client,p=AAAA")
    exchange, _ = at_final()
    with pytest.raises(Misuse):
        exchange.keys(derive("pencil", "SHA-1", 1, SALT))


def test_the_hash_of_what_was_offered() -> None:
    """XEP-0474, Full Example: mechanisms and types are sorted, whatever order they were offered in."""
    types = ["tls-server-end-point", "tls-exporter"]
    assert offer_hash(["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"], types, "SHA-1") == "G6k/rBLDqgOhRRaCuuatSDFkJ08="


def test_where_no_type_was_announced_the_hash_says_so() -> None:
    """XEP-0474, Server Sends Downgrade Protection Hash: without XEP-0440 the string ends with the mechanisms."""
    expected = b64encode(hashlib.sha256(b"PLAIN\x1eSCRAM-SHA-256").digest()).decode()
    assert offer_hash(["SCRAM-SHA-256", "PLAIN"], [], "SHA-256") == expected


def test_the_first_message_tells_the_hash_and_the_proof_covers_it() -> None:
    """XEP-0474: it is an attribute of the server's first message, so both sides sign it."""
    context = Context("example.com", ["SCRAM-SHA-256", "PLAIN"], {}, lambda: "server", tells_offer=True)
    exchange = Scram(context, "SHA-256", False)
    client = scramp.ScramClient(["SCRAM-SHA-256"], "user", "pencil", c_nonce="client")
    exchange.step(client.get_client_first().encode())
    first = exchange.keys(derive("pencil", "SHA-256", 4096, SALT))
    assert isinstance(first, Challenge)
    assert first.data.decode().rpartition(",h=")[2] == offer_hash(["PLAIN", "SCRAM-SHA-256"], [], "SHA-256")
    client.set_server_first(first.data.decode())
    last = exchange.step(client.get_client_final().encode())
    assert isinstance(last, Authenticated)
    client.set_server_final(last.data.decode())
