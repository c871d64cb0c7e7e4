"""For how long messages are kept."""

from xmppd.app.keeping import kept_for, longest
from xmppd.core.host import Host, Hosts
from xmppd.protocol.jid import Jid

DAY = 86_400.0


def hosts(**retention: float | None) -> Hosts:
    return Hosts([Host(Jid(f"{name}.example"), retention=time) for name, time in retention.items()])


def test_each_host_says_for_how_long() -> None:
    """An account's messages are kept for as long as its host says, for ever if it says nothing."""
    found = hosts(montague=DAY, capulet=None)
    assert kept_for(Jid("romeo@montague.example"), found) == DAY
    assert kept_for(Jid("juliet@capulet.example"), found) is None


def test_longest() -> None:
    """Nothing is dropped for its age alone that any host still keeps."""
    assert longest(hosts(montague=DAY, capulet=2 * DAY)) == 2 * DAY
    assert longest(hosts(montague=DAY, capulet=None)) is None
    assert longest(hosts()) is None


def test_owners_of_no_host() -> None:
    """What belongs to a host that is gone, or to a service, goes when the last of the others would."""
    room = Jid("garden@rooms.capulet.example")
    assert kept_for(room, hosts(montague=DAY, capulet=2 * DAY)) == 2 * DAY
    assert kept_for(room, hosts(montague=DAY, capulet=None)) is None


def test_reloaded_hosts_count() -> None:
    """It is asked anew each time."""
    found = hosts(montague=None)
    found.replace([Host(Jid("montague.example"), retention=DAY)])
    assert kept_for(Jid("romeo@montague.example"), found) == DAY
