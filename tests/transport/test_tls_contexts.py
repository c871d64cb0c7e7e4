"""The TLS policy: who gets in, with which certificate, and how."""

from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.task import Clock

from xmppd.transport.certificate import CertificateError
from xmppd.transport.certificates import CertificateStore
from xmppd.transport.tls import TlsError
from xmppd.transport.tls_contexts import TlsContexts, TlsRules

from .authority import Authority
from .peers import TlsPeer, shake_hands

TLS11 = (SSL.TLS1_1_VERSION, SSL.TLS1_1_VERSION)
TLS12 = (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION)
TLS13 = (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION)


def test_tls_1_1_is_refused(contexts: TlsContexts) -> None:
    """RFC 8996: TLS 1.1 must not be negotiated."""
    with pytest.raises(TlsError):
        shake_hands(contexts.session(None), TlsPeer(versions=TLS11, ciphers=b"DEFAULT:@SECLEVEL=0"))


@pytest.mark.parametrize("ciphers", [b"AES128-SHA", b"ECDHE-ECDSA-AES128-SHA", b"AES128-GCM-SHA256"])
def test_weak_suites_are_refused(contexts: TlsContexts, ciphers: bytes) -> None:
    """Suites without forward secrecy or without authenticated encryption are not spoken."""
    with pytest.raises(TlsError):
        shake_hands(contexts.session(None), TlsPeer(versions=TLS12, ciphers=ciphers))


@pytest.mark.parametrize("host", ["montague.example", "capulet.example"])
def test_sni_chooses_the_host(contexts: TlsContexts, host: str) -> None:
    """RFC 6066, 3: the certificate is that of the host that the client names, whatever the stream said before."""
    peer = TlsPeer(sni=host)
    shake_hands(contexts.session("montague.example"), peer)

    assert peer.shown == host


def test_stream_chooses_the_host_without_sni(contexts: TlsContexts) -> None:
    """STARTTLS without SNI: the `to` of the stream decides."""
    peer = TlsPeer()
    shake_hands(contexts.session("capulet.example"), peer)

    assert peer.shown == "capulet.example"


@pytest.mark.parametrize("sni", [None, "verona.example"])
def test_default_host(contexts: TlsContexts, sni: str | None) -> None:
    """A client that names nobody, or somebody unknown, gets the first host's certificate."""
    peer = TlsPeer(sni=sni)
    shake_hands(contexts.session(None), peer)

    assert peer.shown == "montague.example"


@pytest.mark.parametrize("offer", [(), ("xmpp-client",), ("h2", "xmpp-client")])
def test_alpn_is_agreed_upon(contexts: TlsContexts, offer: tuple[str, ...]) -> None:
    """XEP-0368: our protocol is taken wherever it stands in the offer; to offer nothing is fine."""
    peer = TlsPeer(alpn=offer)
    shake_hands(contexts.session(None), peer)

    assert peer.tls.get_alpn_proto_negotiated() == (b"xmpp-client" if offer else b"")


@pytest.mark.parametrize("sni", [None, "capulet.example"])
def test_foreign_alpn_is_refused(contexts: TlsContexts, sni: str | None) -> None:
    """RFC 7301, 3.2: a client that offers other protocols only is refused, and learns why."""
    session, peer = contexts.session(None), TlsPeer(sni=sni, alpn=("http/1.1", "h2"))

    with pytest.raises(TlsError, match=r"no common application protocol: the peer offers http/1\.1, h2"):
        shake_hands(session, peer)
    peer.give(session.outgoing())
    with pytest.raises(SSL.Error, match="no application protocol"):
        peer.handshake()


def test_server_protocol(store: CertificateStore) -> None:
    """A port for servers speaks xmpp-server."""
    peer = TlsPeer(alpn=("xmpp-server",))
    shake_hands(TlsContexts(store, TlsRules(alpn="xmpp-server")).session(None), peer)

    assert peer.tls.get_alpn_proto_negotiated() == b"xmpp-server"


@pytest.mark.parametrize("versions", [TLS12, TLS13])
@pytest.mark.parametrize("sni", [None, "capulet.example"])
def test_trusted_certificate(
    asking: TlsContexts, authority: Authority, versions: tuple[int, int], sni: str | None
) -> None:
    """A client's certificate that leads to a trusted authority is known to do so."""
    session = asking.session(None)
    shake_hands(session, TlsPeer(sni=sni, certificate=authority.issue("romeo.example"), versions=versions))

    assert session.peer_certificate() is not None
    assert session.chain_trusted


@pytest.mark.parametrize("versions", [TLS12, TLS13])
def test_untrusted_certificate_fails_no_handshake(asking: TlsContexts, versions: tuple[int, int]) -> None:
    """A certificate of anybody's is taken note of; dialback or a password may still follow."""
    session = asking.session(None)
    shake_hands(session, TlsPeer(certificate=Authority("Another").issue("romeo.example"), versions=versions))

    assert session.peer_certificate() is not None
    assert not session.chain_trusted


def test_expired_certificate_is_not_trusted(asking: TlsContexts, authority: Authority) -> None:
    """An old certificate is no better than none."""
    session = asking.session(None)
    old = authority.issue("romeo.example", not_before=1_000_000_000.0, not_after=1_100_000_000.0)
    shake_hands(session, TlsPeer(certificate=old))

    assert not session.chain_trusted


def test_no_certificate(asking: TlsContexts) -> None:
    """Nobody must have a certificate."""
    session = asking.session(None)
    shake_hands(session, TlsPeer())

    assert session.peer_certificate() is None


def test_a_server_s_usage(asking: TlsContexts, store: CertificateStore, authority: Authority, tmp_path: Path) -> None:
    """A certificate for TLS servers only is good for a server that connects to us, not for a client."""
    lenient = TlsContexts(
        store, TlsRules("xmpp-server", ask_certificate=True, authorities=tmp_path / "root.pem", any_usage=True)
    )
    verdicts = []
    for contexts in (asking, lenient):
        session = contexts.session(None)
        shake_hands(session, TlsPeer(certificate=authority.issue("romeo.example", client=False)))
        verdicts.append(session.chain_trusted)

    assert verdicts == [False, True]


def test_authorities_of_the_system(store: CertificateStore, authority: Authority) -> None:
    """Without a file of our own the system's authorities decide; they do not know ours."""
    session = TlsContexts(store, TlsRules(ask_certificate=True)).session(None)
    shake_hands(session, TlsPeer(certificate=authority.issue("romeo.example")))

    assert not session.chain_trusted


def test_broken_authorities_are_named(store: CertificateStore, tmp_path: Path) -> None:
    """A file without certificates is an error at start, not at the first handshake."""
    (tmp_path / "empty.pem").write_text("nothing")

    with pytest.raises(CertificateError, match=r"empty\.pem"):
        TlsContexts(store, TlsRules(ask_certificate=True, authorities=tmp_path / "empty.pem"))


def test_a_replaced_certificate_is_forgotten(
    store: CertificateStore, contexts: TlsContexts, authority: Authority, tmp_path: Path, clock: Clock
) -> None:
    """New handshakes show the new certificate, live sessions keep theirs, and the old context is let go."""
    old, peer = contexts.session("capulet.example"), TlsPeer(sni="capulet.example")
    shake_hands(old, peer)
    before = old.channel_bindings()["tls-server-end-point"]
    authority.files(tmp_path, "capulet.example")
    store.reload()
    new = contexts.session("capulet.example")
    shake_hands(new, TlsPeer(sni="capulet.example"))

    assert new.channel_bindings()["tls-server-end-point"] != before
    assert old.channel_bindings()["tls-server-end-point"] == before
    assert old.decrypt(peer.seal(b"on")) == b"on"
    assert len(contexts._contexts) == 2
