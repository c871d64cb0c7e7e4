"""Addresses that commands take."""

import pytest

from xmppd.admin.addresses import chosen_hosts, local_account, local_host
from xmppd.core.commands import CommandError
from xmppd.core.host import Host, Hosts
from xmppd.protocol.jid import Jid

HOSTS = Hosts([Host(Jid("montague.example")), Host(Jid("capulet.example"))])


def test_local_account() -> None:
    """An account of a host that is served is taken as it is."""
    jid = Jid("romeo@montague.example")
    assert local_account(jid, HOSTS) is jid


@pytest.mark.parametrize("jid", ["montague.example", "romeo@montague.example/orchard", "romeo@verona.example"])
def test_no_account(jid: str) -> None:
    """A host, a session and a stranger are no accounts of this server."""
    with pytest.raises(CommandError):
        local_account(Jid(jid), HOSTS)


def test_unknown_host_names_the_known_ones() -> None:
    """The remedy lists what there is."""
    with pytest.raises(CommandError) as caught:
        local_host("verona.example", HOSTS)
    assert caught.value.remedy == "its hosts are capulet.example, montague.example"


def test_chosen_hosts() -> None:
    """One host, or all of them by name."""
    assert [host.name for host in chosen_hosts(None, HOSTS)] == ["capulet.example", "montague.example"]
    assert [host.name for host in chosen_hosts("montague.example", HOSTS)] == ["montague.example"]
