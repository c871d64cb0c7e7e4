"""The upgrade tasks of one login: XEP-0480."""

import hashlib
from base64 import b64decode, b64encode
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from xmppd.core.credentials import check_password, derive_all
from xmppd.core.drive import drive
from xmppd.core.upgrade import Upgrades
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.jid import Jid
from xmppd.protocol.sasl2 import task_data
from xmppd.protocol.scram_upgrade import HASH

from .memory_accounts import MemoryAccounts

JULIET = Jid.parse("juliet@capulet.example")
OLD = {"SHA-1": derive_all("pencil", 1)["SHA-1"]}


def run(coroutine: Any) -> Any:
    result = drive(coroutine)
    assert not isinstance(result, Deferred)
    return result


@pytest.fixture
def accounts() -> MemoryAccounts:
    accounts = MemoryAccounts()
    run(accounts.create(JULIET, OLD))
    return accounts


def made_of(salt: Element) -> Element:
    """Return what a client makes of its password and a salt."""
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", b64decode(salt.text), int(salt.attributes["iterations"]))
    return task_data(E(HASH, b64encode(salted).decode()))


def test_tasks_are_done_in_their_order(accounts: MemoryAccounts) -> None:
    """Client requesting SASL upgrades: those that are lacking, as the client has named them."""
    upgrades = Upgrades(accounts, JULIET, OLD, ["SHA-256", "SHA-1"])
    assert upgrades.task == "UPGR-SCRAM-SHA-256"
    run(upgrades.finish(made_of(upgrades.begin(upgrades.task))))
    assert upgrades.task == ""
    kept = run(accounts.credentials(JULIET))
    assert kept["SHA-1"] == OLD["SHA-1"]
    assert check_password("pencil", {"SHA-256": kept["SHA-256"]})


def test_every_salt_is_another(accounts: MemoryAccounts) -> None:
    """RFC 5802, 9: so that nothing can be computed ahead."""
    one, two = (Upgrades(accounts, JULIET, OLD, ["SHA-256"]).begin("UPGR-SCRAM-SHA-256") for _ in range(2))
    assert one.text != two.text
    assert int(one.attributes["iterations"]) >= 4096


@pytest.mark.parametrize("task", ["", "UPGR-SCRAM-SHA-512"])
def test_a_task_that_is_not_due(accounts: MemoryAccounts, task: str) -> None:
    """XEP-0388, Continue: a client does what it was asked for."""
    for wanted in ([], ["SHA-256"]):
        with pytest.raises(SaslFailure):
            Upgrades(accounts, JULIET, OLD, wanted).begin(task)


def test_another_password(accounts: MemoryAccounts) -> None:
    """Keys are added beside those of the same password only."""
    upgrades = Upgrades(accounts, JULIET, OLD, ["SHA-256"])
    data = made_of(upgrades.begin(upgrades.task))
    run(accounts.set_credentials(JULIET, derive_all("another", 1)))
    with pytest.raises(SaslFailure) as refusal:
        run(upgrades.finish(data))
    assert refusal.value.condition == "credentials-expired"
