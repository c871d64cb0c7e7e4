"""Virtual hosts."""

from xmppd.core.host import Host, Hosts
from xmppd.protocol.jid import Jid


def test_found_by_name() -> None:
    """A host is found by its canonical name, and only by that."""
    capulet, montague = Host(Jid("capulet.example")), Host(Jid("montague.example"))
    hosts = Hosts([capulet, montague])
    assert hosts.get("capulet.example") is capulet
    assert hosts.get(Jid("CAPULET.example")) is capulet
    assert hosts.get("verona.example") is None
    assert hosts.get(None) is None
    assert "capulet.example" in hosts
    assert "juliet@capulet.example" not in hosts
    assert hosts.all() == [capulet, montague]


def test_replaced() -> None:
    """Another configuration has other hosts; who holds the collection sees them."""
    hosts = Hosts([Host(Jid("capulet.example"))])
    hosts.replace([Host(Jid("verona.example"))])
    assert "capulet.example" not in hosts
    assert "verona.example" in hosts


def test_nothing_is_shared() -> None:
    """Hosts that say nothing have contacts of their own."""
    one, two = Host(Jid("capulet.example")), Host(Jid("montague.example"))
    one.contacts["abuse-addresses"] = ("mailto:abuse@capulet.example",)
    assert two.contacts == {}
