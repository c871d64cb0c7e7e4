"""What a token is made of."""

from itertools import product

from xmppd.modules.fast.secret import token_of
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")


def test_a_token_is_always_the_same() -> None:
    """It is derived, so it need not be kept; it can be written in an attribute as it is."""
    token = token_of(b"secret", JULIET, "phone", "HT-SHA-256-NONE", b"serial")
    assert token == token_of(b"secret", JULIET, "phone", "HT-SHA-256-NONE", b"serial")
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()
    assert token.isascii()


def test_everything_makes_a_difference() -> None:
    """No other account, client, mechanism, serial number or server has the same; nor do parts that are cut elsewhere."""
    parts = [
        (b"secret", b"another"),
        (JULIET, ROMEO),
        ("phone", "laptop", "phoneHT"),
        ("HT-SHA-256-NONE", "HT-SHA-256-EXPR", ""),
        (b"serial", b"serial2", b"", b"\0"),
    ]
    tokens = [token_of(*each) for each in product(*parts)]  # type: ignore[arg-type]
    assert len(set(tokens)) == len(tokens)
