"""What the generator says, as bytes, and how it counts what comes back."""

BODY = (
    b"The parcel came this morning, thank you! I shall look at it tonight and write to you what I think of the "
    b"second chapter; the first I like as it is. Shall we talk on Friday, at about half past six?"
)
assert len(BODY) == 196  # the size that all figures are for

SHOWS = (b"away", b"dnd", b"xa", b"chat")


ACKNOWLEDGEMENT_REQUEST = b"<r xmlns='urn:xmpp:sm:3'/>"


def stream_header(domain: bytes, address: bytes = b"") -> bytes:
    """Return the XML declaration and the stream header (RFC 6120, 4.7), from an address if one is given."""
    return (
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        b"to='%s'%s version='1.0' xml:lang='en'>" % (domain, b" from='%s'" % address if address else b"")
    )


def ping(domain: bytes, ident: bytes) -> bytes:
    """Return a ping to the server (XEP-0199): its answer shows that all before it was processed."""
    return b"<iq type='get' id='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>" % (ident, domain)


def chat(to: bytes, ident: bytes, body: bytes = BODY) -> bytes:
    """Return a message as clients send it: an origin id, markable, with a receipt request."""
    return (
        b"<message type='chat' to='%s' id='%s'><body>%s</body><origin-id xmlns='urn:xmpp:sid:0' id='%s'/>"
        b"<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/></message>"
        % (to, ident, body, ident)
    )


def availability(turn: int) -> bytes:
    """Return a presence that differs from the one of the turn before."""
    return (
        b"<presence><show>%s</show><status>Turn %d of the day</status><c xmlns='http://jabber.org/protocol/caps' "
        b"hash='sha-1' node='https://bench.example/' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>"
        % (SHOWS[turn % len(SHOWS)], turn)
    )


def subscription(kind: bytes, to: bytes) -> bytes:
    """Return a presence of type `subscribe` or `subscribed` (RFC 6121, 3.1)."""
    return b"<presence type='%s' to='%s'/>" % (kind, to)


def acknowledgement(handled: int) -> bytes:
    """Return the answer to a request for acknowledgement (XEP-0198, 4)."""
    return b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % handled


def archive_query(ident: bytes, size: int, after: bytes) -> bytes:
    """Return a query for one page of one's own archive (XEP-0313, XEP-0059); empty `after`: the first."""
    return (
        b"<iq type='set' id='%s'><query xmlns='urn:xmpp:mam:2' queryid='q'>"
        b"<set xmlns='http://jabber.org/protocol/rsm'><max>%d</max>%s</set></query></iq>"
        % (ident, size, b"<after>%s</after>" % after if after else b"")
    )


class Counter:
    """Counts a marker in a stream of bytes, wherever the stream is cut."""

    __slots__ = ("_keep", "_marker", "_tail", "total")

    def __init__(self, marker: bytes) -> None:
        self._marker = marker
        self._keep = len(marker) - 1
        self._tail = b""
        self.total = 0

    def feed(self, data: bytes) -> int:
        """Take a piece; return how many markers it completed."""
        data = self._tail + data
        self._tail = data[-self._keep :] if self._keep else b""
        found = data.count(self._marker)
        self.total += found
        return found
