"""What other modules may do with carbons."""

from typing import Any

from xmppd.core.session import Session
from xmppd.modules.carbons.api import ENABLED, disable, enable
from xmppd.protocol.jid import Jid

WIRE: Any = None


def test_switch() -> None:
    """Carbons are off until somebody enables them; twice is once."""
    session = Session(Jid("juliet@capulet.example/balcony"), WIRE)
    assert not session[ENABLED]
    enable(session)
    enable(session)
    assert session[ENABLED]
    disable(session)
    assert not session[ENABLED]
