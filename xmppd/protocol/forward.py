"""Stanza forwarding (XEP-0297): a stanza inside another one.

What is forwarded was written once and is not read again: its bytes are copied, and only its start tag learns the
namespace that it had by its place in the stream.
"""

from typing import Final

from .errors import Misuse
from .names import CLIENT, DELAY

NS: Final = "urn:xmpp:forward:0"
NAME: Final = f"{{{NS}}}forwarded"

_PLAIN: Final = f"<forwarded xmlns='{NS}'>%b xmlns='{CLIENT}' %b</forwarded>".encode()
_DELAYED: Final = (
    f"<forwarded xmlns='{NS}'><delay xmlns='{DELAY}' stamp='%b'/>%b xmlns='{CLIENT}' %b</forwarded>".encode()
)


def forwarded(stanza: bytes, stamp: bytes = b"") -> bytes:
    """Return the `<forwarded/>` with a stanza in it.

    :param stanza: as it is written to a client; its start tag has an attribute, as all of ours have.
    :param stamp: when it was received, as XEP-0082 writes it; empty if that is not told.
    """
    name, _, rest = stanza.partition(b" ")
    if b">" in name:
        raise Misuse("a stanza that is forwarded says from whom it is")
    return _DELAYED % (stamp, name, rest) if stamp else _PLAIN % (name, rest)
