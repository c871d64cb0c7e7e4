"""TLS as a pure machine, against pyOpenSSL as the client."""

import hashlib
import weakref
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from xmppd.transport import tls
from xmppd.transport.tls import SLICE, TlsError
from xmppd.transport.tls_contexts import TlsContexts

from .authority import Authority
from .peers import TlsPeer, shake_hands

TLS12 = (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)
TLS13 = (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION)
VERSIONS = pytest.mark.parametrize("versions", [TLS12, TLS13])
CHUNKED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@VERSIONS
def test_data_goes_both_ways(contexts: TlsContexts, versions: tuple[int, int]) -> None:
    """What one side seals the other opens, with either version."""
    session, peer = contexts.session(None), TlsPeer(versions=versions)
    shake_hands(session, peer)

    assert session.decrypt(peer.seal(b"<stream:stream>")) == b"<stream:stream>"
    assert peer.open(session.encrypt(b"<stream:features/>")) == b"<stream:features/>"


@VERSIONS
def test_handshake_torn_into_single_bytes(contexts: TlsContexts, versions: tuple[int, int]) -> None:
    """A record may arrive in any number of segments."""
    session, peer = contexts.session(None), TlsPeer(versions=versions)
    shake_hands(session, peer, size=1)

    assert session.established


@CHUNKED
@given(sizes=st.lists(st.integers(1, 40_000), max_size=8), chunk=st.integers(1, 50_000))
def test_any_chunking_gives_the_same_plaintext(contexts: TlsContexts, sizes: list[int], chunk: int) -> None:
    """Neither records nor slices show in the plaintext."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)
    plaintext = b"".join(bytes([65 + number]) * size for number, size in enumerate(sizes))
    ciphertext = peer.seal(plaintext) if plaintext else b""

    read = b""
    for start in range(0, len(ciphertext), chunk):
        session.feed(ciphertext[start : start + chunk])
        while session.waiting:
            read += session.read()

    assert read == plaintext


@CHUNKED
@given(size=st.integers(1, 200_000))
def test_large_writes_are_whole(contexts: TlsContexts, size: int) -> None:
    """A write of any size comes out as it went in, and leaves nothing behind."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)

    assert peer.open(session.encrypt(b"x" * size)) == b"x" * size
    assert session.outgoing() == b""


def test_one_read_is_bounded(contexts: TlsContexts) -> None:
    """A flood of records is decrypted by the slice, so that others have their turn."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)
    session.feed(peer.seal(b"x" * 300_000))

    pieces = []
    while session.waiting:
        pieces.append(session.read())

    assert sum(map(len, pieces)) == 300_000
    assert max(map(len, pieces)) <= 2 * SLICE  # a slice, and what was left of the one before


def test_memory_of_a_burst_is_given_back(contexts: TlsContexts) -> None:
    """A BIO keeps the memory of the largest thing it held; it is replaced."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)
    before = session._into_tls, session._from_tls
    session.feed(peer.seal(b"x" * 100_000))
    while session.waiting:
        session.read()
    session.encrypt(b"x" * 100_000)

    assert session._into_tls is not before[0]
    assert session._from_tls is not before[1]
    assert session.decrypt(peer.seal(b"on")) == b"on"


def test_data_behind_the_handshake_waits(contexts: TlsContexts) -> None:
    """What comes in one segment with the end of the handshake is not lost."""
    session, peer = contexts.session(None), TlsPeer(versions=TLS13)
    peer.handshake()
    session.feed(peer.take())
    session.handshake()
    peer.give(session.outgoing())
    assert peer.handshake()
    session.feed(peer.take() + peer.seal(b"<stream:stream>"))

    assert session.handshake()
    assert session.waiting
    assert session.read() == b"<stream:stream>"
    assert not session.waiting


@VERSIONS
def test_close_notify(contexts: TlsContexts, versions: tuple[int, int]) -> None:
    """Either side may end the session in good order."""
    session, peer = contexts.session(None), TlsPeer(versions=versions)
    shake_hands(session, peer)
    peer.tls.shutdown()

    assert session.decrypt(peer.take()) == b""
    assert session.peer_closed
    peer.open(session.shutdown())
    assert peer.closed


def test_data_before_close_notify_counts(contexts: TlsContexts) -> None:
    """The last words of a peer are read although its close_notify came with them."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)
    last = peer.seal(b"</stream:stream>")
    peer.tls.shutdown()

    assert session.decrypt(last + peer.take()) == b"</stream:stream>"
    assert session.peer_closed


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"<stream:stream/>", b"\x16\x03\x01\xff\xff" + b"\0" * 64]
)
def test_garbage_instead_of_a_client_hello(contexts: TlsContexts, garbage: bytes) -> None:
    """What is no TLS fails, and says why."""
    session = contexts.session(None)
    session.feed(garbage)

    with pytest.raises(TlsError, match=r"\w"):
        session.handshake()


def test_a_forged_record_is_final(contexts: TlsContexts) -> None:
    """A record that was changed on its way ends the session, and tells the peer by an alert."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)
    record = bytearray(peer.seal(b"<message/>"))
    record[-1] ^= 1

    with pytest.raises(TlsError):
        session.decrypt(bytes(record))
    assert session.outgoing()


def test_errors_of_others_are_not_ours(contexts: TlsContexts) -> None:
    """What another library left in OpenSSL's error queue fails no session."""
    session, peer = contexts.session(None), TlsPeer()
    shake_hands(session, peer)
    broken = contexts.session(None)
    broken._connection.bio_write(b"nonsense that is long enough to be one")
    tls._lib.SSL_do_handshake(broken._ssl)
    record = peer.seal(b"<message/>")

    assert session.decrypt(record[:20]) == b""
    assert session.decrypt(record[20:]) == b"<message/>"


def test_renegotiation_is_refused(contexts: TlsContexts) -> None:
    """TLS 1.2 renegotiation is answered with an alert, which does not pile up, and data goes on."""
    session, peer = contexts.session(None), TlsPeer(versions=TLS12)
    shake_hands(session, peer)
    peer.tls.renegotiate()
    with pytest.raises(SSL.WantReadError):
        peer.tls.do_handshake()

    assert session.decrypt(peer.take()) == b""
    assert session.chatty
    assert session.outgoing()
    assert session.outgoing() == b""


@VERSIONS
def test_channel_bindings_are_equal_on_both_sides(
    contexts: TlsContexts, authority: Authority, versions: tuple[int, int]
) -> None:
    """RFC 9266 and RFC 5929: both sides compute the same, from what only they know and from what was shown."""
    session, peer = contexts.session(None), TlsPeer(versions=versions)
    shake_hands(session, peer)
    shown = peer.tls.get_peer_certificate(as_cryptography=True)
    assert shown is not None

    assert session.channel_bindings() == {
        "tls-exporter": peer.tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b""),
        "tls-server-end-point": hashlib.sha256(shown.public_bytes(Encoding.DER)).digest(),
    }


def test_channel_bindings_are_made_when_used(contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which types there are is known without their data, which few streams use."""
    session = contexts.session(None)
    shake_hands(session, TlsPeer())
    made: list[bytes] = []
    export = SSL.Connection.export_keying_material

    def counted(connection: SSL.Connection, label: bytes, *arguments: Any) -> bytes:
        made.append(label)
        return export(connection, label, *arguments)

    monkeypatch.setattr(SSL.Connection, "export_keying_material", counted)
    bindings = session.channel_bindings()
    assert list(bindings) == ["tls-exporter", "tls-server-end-point"]
    assert "tls-exporter" in bindings
    assert len(bindings) == 2
    assert not made
    assert len(bindings["tls-exporter"]) == 32
    assert made == [b"EXPORTER-Channel-Binding"]


def test_no_exporter_without_extended_master_secret(contexts: TlsContexts, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9266, 4: TLS 1.2 without that extension has no unique exporter."""
    session, peer = contexts.session(None), TlsPeer(versions=TLS12)
    shake_hands(session, peer)

    class WithoutExtension:
        def SSL_get_extms_support(self, ssl: object) -> int:
            return 0

    monkeypatch.setattr("xmppd.transport.tls._lib", WithoutExtension())
    assert set(session.channel_bindings()) == {"tls-server-end-point"}


def test_no_channel_binding_before_the_handshake(contexts: TlsContexts) -> None:
    """Nothing is bound, and nothing negotiated, before the end of the handshake."""
    session = contexts.session(None)

    assert session.channel_bindings() == {}
    assert (session.version, session.cipher) == (None, None)
    assert session.shutdown() == b""


def test_what_was_negotiated_is_told(contexts: TlsContexts) -> None:
    """Version, cipher suite, server name and application protocol."""
    session, peer = contexts.session(None), TlsPeer(sni="Capulet.Example", alpn=("h2", "xmpp-client"), versions=TLS13)
    shake_hands(session, peer)

    assert session.version == "TLSv1.3"
    assert session.cipher == peer.tls.get_cipher_name()
    assert session.sni == "capulet.example"
    assert session.alpn == "xmpp-client"


def test_a_session_without_handshake_is_freed_at_once(contexts: TlsContexts) -> None:
    """A released session is held by nobody, not even by itself."""
    session = contexts.session(None)
    watched = weakref.ref(session._connection)
    session.release()
    del session

    assert watched() is None
