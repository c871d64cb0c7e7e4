"""A node without its sockets: what the configuration makes of it, and what modules get from it."""

from dataclasses import fields

from tests.scenario.server import HOSTS, Server
from xmppd.app.node import hosts_of, module_configs
from xmppd.config.quantities import Duration
from xmppd.config.server import Config, Contacts, Host, Store
from xmppd.core.client_stream import ClientStream
from xmppd.core.host import Hosts
from xmppd.core.iq import Iqs
from xmppd.core.router import Router
from xmppd.core.sessions import Sessions
from xmppd.protocol.jid import Jid

JULIET = "juliet@capulet.example"


def test_hosts_of_a_configuration() -> None:
    """Names and addresses are prepared, and everything that an administrator may say of a host arrives."""
    contacts = Contacts(abuse=["mailto:abuse@capulet.example"])
    host = Host(
        admins=["Juliet@CAPULET.example"],
        anonymous=True,
        store=Store.NEVER,
        retention=Duration("30d"),
        contacts=contacts,
    )
    found, plain = hosts_of(Config(hosts={"Capulet.Example": host, "montague.example": Host()}))
    assert found.name == Jid("capulet.example")
    assert found.admins == {Jid(JULIET)}
    assert found.anonymous
    assert not found.stores
    assert found.retention == 30 * 86_400
    assert found.contacts["abuse-addresses"] == ("mailto:abuse@capulet.example",)
    assert not plain.anonymous
    assert plain.stores
    assert plain.retention is None
    assert not any(plain.contacts.values())


def test_every_kind_of_contact_is_known() -> None:
    """XEP-0157: what the configuration takes is what hosts tell."""
    (host,) = hosts_of(Config(hosts={"capulet.example": Host()}))
    assert set(host.contacts) == {f"{field.name}-addresses" for field in fields(Contacts)}


def test_options_of_modules() -> None:
    """By name; a module without options has None."""
    configs = module_configs()
    assert "roster" in configs
    assert configs["messages"] is None
    register = configs["register"]
    assert register is not None
    assert register().enabled is False


def test_modules_get_the_parts_of_the_node() -> None:
    """What they ask for by type is the one object that the streams use as well."""
    node = Server().node
    provided = node._provided()
    assert provided[Router] is node.clients.router is node.router
    assert provided[Sessions] is node.clients.sessions is node.router.sessions
    assert provided[Hosts] is node.clients.hosts
    assert provided[Iqs] is node.clients.iqs
    assert [host.name for host in node.hosts.all()] == list(HOSTS)


def test_modules_that_are_disabled_are_not_loaded() -> None:
    """All others are."""
    node = Server(disable=("ping",)).node
    assert "ping" in node.loader.known
    assert "ping" not in node.wanted_modules()
    assert set(node.loader.loaded) == set(node.wanted_modules())


def test_a_client_gets_what_its_port_says() -> None:
    """How TLS is treated is the listener's affair."""
    driver = Server().node.client(tls_allowed=True, tls_required=False, scram_without_tls=True)
    assert isinstance(driver, ClientStream)
    assert (driver.tls_allowed, driver.tls_required, driver.scram_without_tls) == (True, False, True)


def test_stopping() -> None:
    """Modules stop, and no timer of the node's own goes on."""
    server = Server()
    server.wait(server.node.stop())
    assert server.node.loader.loaded == {}
    server.connect(f"{JULIET}/balcony")
    before = server.node.upkeep.now
    server.advance(minutes=10)
    assert server.node.upkeep.now == before
