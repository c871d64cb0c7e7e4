"""Limits: the defaults are within their bounds and within what the specifications ask for."""

from xmppd.config.limits import Limits
from xmppd.config.schema import options


def test_every_limit_has_bounds_that_its_default_keeps() -> None:
    """Nobody can switch a limit off, or set one that refuses everybody."""
    for one in options(Limits):
        assert one.ge is not None and one.le is not None, one.name
        assert one.ge <= one.default <= one.le, one.name


def test_every_limit_is_live() -> None:
    """Who is under attack does not want to restart."""
    assert all(one.live for one in options(Limits))


def test_stanzas_are_never_limited_below_what_the_rfc_asks_for() -> None:
    """RFC 6120, 13.12: a limit on the size of stanzas is not below 10 000 bytes."""
    least = {one.name: one.ge for one in options(Limits)}
    assert least["stanza"] == least["stanza_before_login"] == 10_000
