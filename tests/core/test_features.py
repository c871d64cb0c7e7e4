"""What a stream is offered (RFC 6120, 4.3.2, 5.3.1, 6.3.3 and 7.3)."""

from tests.core.logins import (
    HOST,
    MECHANISMS,
    STARTTLS,
    Notes,
    auth,
    authenticated,
    offered,
)
from tests.scenario.server import Server


class TestFeatures:
    """RFC 6120, 4.3.2, 5.3.1, 6.3.3 and 7.3."""

    def test_tls_required(self, server: Server, notes: Notes) -> None:
        """5.3.1: before TLS nothing is offered but STARTTLS, and it is said to be required."""
        client = server.connection(secure=False)
        features = client.opens(HOST)
        starttls = features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls")
        assert starttls is not None
        assert [child.tag for child in starttls] == ["{urn:ietf:params:xml:ns:xmpp-tls}required"]
        assert features.find(MECHANISMS) is None
        assert notes.features == [(False, False)]

    def test_tls_optional(self, server: Server, notes: Notes) -> None:
        """Where TLS is optional but passwords may not pass in the clear, STARTTLS alone is offered."""
        features = server.connection(secure=False, tls_required=False).opens(HOST)
        starttls = features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls")
        assert starttls is not None
        assert not list(starttls)
        assert features.find(MECHANISMS) is None
        assert notes.features == [(False, False)]

    def test_scram_in_clear(self, server: Server, notes: Notes) -> None:
        """SCRAM is offered in the clear only if the listener says so, PLAIN never."""
        features = server.connection(secure=False, tls_required=False, scram_without_tls=True).opens(HOST)
        assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is not None
        assert offered(features) == ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]
        assert notes.features == [(False, True)]

    def test_scram_in_clear_is_nothing_where_tls_is_required(self, server: Server) -> None:
        """The stricter of two settings counts."""
        client = server.connection(secure=False, scram_without_tls=True)
        assert offered(client.opens(HOST)) == []
        client.sends(auth("SCRAM-SHA-1", b"n,,n=juliet,r=abc"))
        client.receives_stream_error("policy-violation")

    def test_no_tls(self, server: Server) -> None:
        """A port without TLS offers none, and refuses it."""
        client = server.connection(secure=False, tls_allowed=False, tls_required=False, scram_without_tls=True)
        features = client.opens(HOST)
        assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is None
        client.sends(STARTTLS)
        client.receives_stream_error("unsupported-feature")

    def test_direct_tls(self, server: Server) -> None:
        """With TLS from the start there is nothing left to offer but mechanisms, the strongest first."""
        features = server.connection().opens(HOST)
        assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is None
        assert offered(features) == ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]

    def test_channel_binding(self, server: Server) -> None:
        """XEP-0440: the types stand beside the mechanisms that use them."""
        client = server.connection()
        client.connection.bindings = {"tls-exporter": b"data"}
        features = client.opens(HOST)
        assert "SCRAM-SHA-256-PLUS" in offered(features)
        assert features.find("{urn:xmpp:sasl-cb:0}sasl-channel-binding") is not None

    def test_anonymous(self) -> None:
        """XEP-0175: only where the host says so."""
        client = Server(anonymous=True).connection()
        assert offered(client.opens(HOST))[-1] == "ANONYMOUS"

    def test_behind_the_login(self, server: Server, notes: Notes) -> None:
        """7.3: resource binding is offered, authentication no longer."""
        client = authenticated(server)
        assert notes.features == [(False, True), (True, True)]
        features = client.raw.decode().rpartition("<stream:features>")[2]
        assert "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" in features
        assert "mechanism" not in features
