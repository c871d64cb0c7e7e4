"""What a client's certificate says about who it is: the XmppAddr names of XEP-0178."""

from typing import Final

from cryptography import x509

XMPP_ADDR: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")
UTF8_STRING: Final = 0x0C
LONGEST: Final = 3071  # bytes of a JID (RFC 7622, 3.1)


def xmpp_addresses(certificate: bytes) -> list[str]:
    """Return the XmppAddr subject alternative names of a certificate in DER; not checked, and not prepared.

    :raises ValueError: it is no certificate.
    """
    parsed = x509.load_der_x509_certificate(certificate)
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    others = [name for name in names if isinstance(name, x509.OtherName) and name.type_id == XMPP_ADDR]
    return [text for text in (_utf8(name.value) for name in others) if text is not None]


def _utf8(value: bytes) -> str | None:
    """Read a UTF8String in DER (X.690, 8.21), or return None."""
    if len(value) < 2 or value[0] != UTF8_STRING:
        return None
    length, start = value[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(value[2:start], "big")
    if length > LONGEST or start + length != len(value):
        return None
    try:
        return value[start:].decode()
    except UnicodeDecodeError:
        return None
