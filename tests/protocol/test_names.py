"""Names: qualified ones are well-formed, and the three stanzas are told by theirs."""

from xmppd.protocol import names


def test_kinds() -> None:
    """RFC 6120, 8: message, presence and IQ, in the content namespace of a client's stream."""
    assert names.KINDS == {
        "{jabber:client}message": "message",
        "{jabber:client}presence": "presence",
        "{jabber:client}iq": "iq",
    }


def test_namespaces_are_distinct() -> None:
    """No two names stand for one namespace, and none can be taken for a qualified name."""
    values = [value for key, value in vars(names).items() if key.isupper() and isinstance(value, str)]
    assert len(values) == len(set(values))
    assert all(value.startswith("{") == ("}" in value) for value in values)
