"""XEP-0178: the addresses that a client's certificate names."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from xmppd.app.client_certificates import XMPP_ADDR, xmpp_addresses

WHEN = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
ROMEO = "romeo@montague.example"


def certificate(*names: x509.GeneralName) -> bytes:
    """Return a certificate in DER that has these names, or no such extension."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(WHEN)
        .not_valid_after(WHEN)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def addr(text: str, head: bytes | None = None) -> x509.OtherName:
    """Return an XmppAddr: a UTF8String in DER."""
    data = text.encode()
    return x509.OtherName(XMPP_ADDR, (b"\x0c" + bytes([len(data)]) if head is None else head) + data)


def test_names_in_their_order() -> None:
    """Those that are XmppAddr, whatever stands between them; as they are, unprepared."""
    given = certificate(addr(ROMEO), x509.DNSName("montague.example"), addr("Rómeo@Montague.example"))
    assert xmpp_addresses(given) == [ROMEO, "Rómeo@Montague.example"]


def test_no_names() -> None:
    """Without the extension, or without a name of this kind in it."""
    assert xmpp_addresses(certificate()) == []
    assert xmpp_addresses(certificate(x509.RFC822Name(ROMEO))) == []


def test_another_kind_of_other_name() -> None:
    """id-on-dnsSRV is told apart by its object identifier."""
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7"), b"\x16\x05_xmpp")
    assert xmpp_addresses(certificate(other)) == []


def test_a_long_name() -> None:
    """X.690, 8.1.3.5: lengths from 128 on take more bytes; a JID has at most 3071."""
    name = "r" * 1000 + "@" + "m" * 1000
    assert xmpp_addresses(certificate(addr(name, b"\x0c\x82" + len(name).to_bytes(2)))) == [name]
    beyond = "r" * 3072
    assert xmpp_addresses(certificate(addr(beyond, b"\x0c\x82" + len(beyond).to_bytes(2)))) == []


@pytest.mark.parametrize(
    "value",
    [
        b"\x05\x00",  # NULL
        b"\x16\x05romeo",  # another kind of string
        b"\x0c\x02\xff\xff",  # no UTF-8
    ],
)
def test_what_is_no_utf8_string(value: bytes) -> None:
    """A name that cannot be read is no name; the others still count."""
    assert xmpp_addresses(certificate(x509.OtherName(XMPP_ADDR, value), addr(ROMEO))) == [ROMEO]


def test_what_is_no_certificate() -> None:
    """The transport gives us what OpenSSL took for one."""
    with pytest.raises(ValueError, match="parsing asn1"):
        xmpp_addresses(b"\x30\x00")
