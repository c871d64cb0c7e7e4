"""XEP-0388 and XEP-0480 as a module: it switches SASL2 on. How it works is tested in tests/core/test_sasl2.py."""

from tests.scenario.sasl2 import SASL2, by_password, succeeded
from tests.scenario.server import Server

HOST = "capulet.example"


def test_it_comes_and_goes(server: Server) -> None:
    """Streams that are opened behind it are offered it or not; one that was offered it may go on."""
    server.account(f"juliet@{HOST}")
    before = server.connection()
    assert before.opens(HOST).find(f"{SASL2}authentication") is not None
    server.wait(server.node.loader.unload("sasl2"))
    assert server.connection().opens(HOST).find(f"{SASL2}authentication") is None
    before.sends(by_password("juliet"))
    succeeded(before)
    server.wait(server.node.loader.load("sasl2"))
    assert server.connection().opens(HOST).find(f"{SASL2}authentication") is not None


def test_upgrades(server: Server) -> None:
    """XEP-0480, Server advertising possible upgrade tasks: to whatever is stronger than what everybody has."""
    features = server.connection().opens(HOST)
    tasks = [each.text for each in features.iter("{urn:xmpp:sasl:upgrade:0}upgrade")]
    assert tasks == ["UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512"]
