"""The audit finds what it is there to find."""

from dataclasses import replace

import pytest

from xmppd.core.message_log import RECEIVED, SENT
from xmppd.storage.message_log.keys import digest_of

from .audit import Findings, Stored, audit, read_logs
from .ledger import Delivery, Ledger

ROMEO, JULIET = "romeo@capulet.example", "juliet@capulet.example"
Archives = dict[str, list[tuple[int, str]]]


class World:
    """Three messages from Romeo to Juliet that are stored, archived and delivered as they ought to be."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.messages = [self.ledger.send(ROMEO, JULIET, number) for number in (1, 2, 3)]
        self.names = [message.name for message in self.messages]
        for id, message in enumerate(self.messages, start=11):
            self.ledger.acknowledge(message)
            self.ledger.deliver(JULIET, Delivery(message.name, str(id), is_late=False))
        self.received = [Stored(id, RECEIVED, name) for id, name in enumerate(self.names, start=11)]
        self.sent = [Stored(id, SENT, name) for id, name in enumerate(self.names, start=21)]
        self.archive = [(row.id, row.name) for row in self.received]

    def found(self) -> Findings:
        """Audit it."""
        return audit(self.ledger, {JULIET: self.received, ROMEO: self.sent}, {JULIET: self.archive})


@pytest.fixture
def world() -> World:
    return World()


def test_all_is_well(world: World) -> None:
    """Nothing is found where nothing is wrong."""
    assert world.found().faults == {}
    assert world.found().acknowledged == 3


def test_lost(world: World) -> None:
    """What was acknowledged is not in the log, so what came of it and what the archive says is wrong, too."""
    del world.received[1]
    assert world.found().faults == {"lost": 1, "misnamed": 1, "archive": 2}


def test_duplicated(world: World) -> None:
    """A message has two rows; the second one is also behind a later message."""
    world.received.append(Stored(14, RECEIVED, world.names[0]))
    world.archive.append((14, world.names[0]))
    assert world.found().faults == {"duplicated": 1, "reordered": 1, "misnamed": 1}


def test_reordered(world: World) -> None:
    """Rows are not in the order in which they were sent; that they came in the right one does not help."""
    first, second, third = world.names
    world.received = [Stored(11, RECEIVED, second), Stored(12, RECEIVED, first), Stored(13, RECEIVED, third)]
    world.archive = [(row.id, row.name) for row in world.received]
    assert world.found().faults == {"reordered": 1, "misnamed": 2}


def test_copy_is_missing(world: World) -> None:
    """The sender's own log lacks it."""
    del world.sent[0]
    assert world.found().faults == {"copies": 1}


def test_copies_are_reordered(world: World) -> None:
    """The sender's own log has another order."""
    world.sent.reverse()
    assert world.found().faults == {"copies": 2}


def test_undelivered(world: World) -> None:
    """What was acknowledged and stored never came."""
    world.ledger.acknowledge(world.ledger.send(ROMEO, JULIET, 4))
    name = f"{ROMEO}/4"
    world.received.append(Stored(14, RECEIVED, name))
    world.sent.append(Stored(24, SENT, name))
    world.archive.append((14, name))
    assert world.found().faults == {"undelivered": 1}


def test_repeated_deliveries(world: World) -> None:
    """A message may come twice by the same id, and no other."""
    world.ledger.deliver(JULIET, Delivery(world.names[0], "11", is_late=True))
    assert world.found().faults == {}
    assert world.found().repeated == 1
    world.ledger.deliver(JULIET, Delivery(world.names[0], "99", is_late=True))
    assert world.found().faults == {"misnamed": 1}


def test_delivered_out_of_order(world: World) -> None:
    """What comes first must come in the sender's order."""
    come = world.ledger.deliveries[JULIET]
    come.reverse()
    assert world.found().faults == {"disordered": 2}


def test_refused_behind_its_acknowledgement(world: World) -> None:
    """An error must not come behind the acknowledgement of the same message."""
    world.ledger.refuse(world.names[0])
    assert world.found().faults == {"contradicted": 1}
    assert world.found().unasked == 1


def test_refused_first(world: World) -> None:
    """What was refused is no promise: it may be lost, and the count that covers it later acknowledges nothing."""
    message = world.ledger.send(ROMEO, JULIET, 4)
    world.ledger.refuse(message.name)
    world.ledger.acknowledge(message)
    assert world.found().faults == {}
    assert replace(world.found(), acknowledged=0).acknowledged == world.found().acknowledged - 3


def test_logs_are_read_from_the_database() -> None:
    """Owners are found by their digests, rows come in the order of ids, others' rows do not count."""

    class Databases:
        def rows(self, statement: str) -> list[tuple[object, ...]]:
            assert "encode(owner, 'hex')" in statement
            digest = digest_of(JULIET).hex()
            return [(digest, 11, RECEIVED, "one"), ("00", 12, RECEIVED, "other"), (digest, 13, SENT, "two")]

    logs = read_logs(Databases(), [JULIET, ROMEO], is_sqlite=False)
    assert logs == {JULIET: [Stored(11, RECEIVED, "one"), Stored(13, SENT, "two")], ROMEO: []}
