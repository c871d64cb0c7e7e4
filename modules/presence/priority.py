"""The priority of presence (RFC 6121, 4.7.2.3)."""

import re
from typing import Final

from xmppd.protocol.errors import BadRequest
from xmppd.protocol.names import CLIENT
from xmppd.protocol.stanza import Stanza

PRIORITY: Final = f"{{{CLIENT}}}priority"
LEAST: Final = -128
MOST: Final = 127

_integer: Final = re.compile(r"[+-]?[0-9]{1,4}").fullmatch  # an xs:byte, as XML Schema writes it


def read_priority(stanza: Stanza) -> int:
    """Return the priority that presence states; none is 0.

    :raises BadRequest: it is no integer from -128 to 127.
    """
    text = stanza.text_of(PRIORITY)
    if text is None:
        return 0
    text = text.strip()
    priority = int(text) if _integer(text) else MOST + 1
    if not LEAST <= priority <= MOST:
        raise BadRequest("a priority is an integer from -128 to 127")
    return priority
