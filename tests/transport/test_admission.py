"""Limits on the number of connections."""

import pytest

from xmppd.transport.admission import Admission, Refusal, network_of


def test_limit_per_address() -> None:
    """One address has its share; others are not touched, and a connection that ends makes room."""
    admission = Admission(total=100, per_address=2)

    assert [admission.enter("192.0.2.1") for _ in range(3)] == [None, None, Refusal.ADDRESS]
    assert admission.enter("192.0.2.2") is None
    admission.leave("192.0.2.1")
    assert admission.enter("192.0.2.1") is None
    assert admission.refused == {Refusal.ADDRESS: 1, Refusal.TOTAL: 0}


def test_limit_in_all() -> None:
    """Many addresses together have a limit too."""
    admission = Admission(total=2, per_address=2)

    assert [admission.enter(f"192.0.2.{last}") for last in range(3)] == [None, None, Refusal.TOTAL]
    assert admission.open == 2


def test_nothing_is_remembered_of_those_who_left() -> None:
    """A scan from a million addresses leaves no million entries."""
    admission = Admission(total=2, per_address=2)
    admission.enter("192.0.2.1")
    admission.leave("192.0.2.1")

    assert admission._by_network == {}
    assert admission.open == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_what_is_one_peer(address: str, network: str) -> None:
    """Whoever has one IPv6 address has 2**64 of them: the /64 counts as one."""
    assert network_of(address) == network
