"""Compares what people were told with what is in the log, read from the database and as the archive."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

from xmppd.core.message_log import RECEIVED, SENT
from xmppd.storage.message_log.keys import digest_of

from .ledger import Ledger, Message


class Stored(NamedTuple):
    """A row of the log: its id, its direction, and how its sender calls it."""

    id: int
    direction: int
    name: str


Logs = Mapping[str, Sequence[Stored]]
"""The rows of each owner, a bare JID, in the order of their ids."""


class Asked(Protocol):
    """What answers questions past the server."""

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of all databases."""


def read_logs(asked: Asked, owners: Iterable[str], *, is_sqlite: bool) -> dict[str, list[Stored]]:
    """Read the logs of owners straight from the databases."""
    names = {digest_of(owner).hex(): owner for owner in owners}
    digest = "lower(hex(owner))" if is_sqlite else "encode(owner, 'hex')"
    logs: dict[str, list[Stored]] = {owner: [] for owner in names.values()}
    for owner, id, direction, name in asked.rows(f"SELECT {digest}, id, direction, origin_id FROM log ORDER BY id"):
        if str(owner) in names:
            logs[names[str(owner)]].append(Stored(int(str(id)), int(str(direction)), str(name)))
    return logs


@dataclass(frozen=True, slots=True)
class Findings:
    """What an audit has found. What is a fault has to be 0; the first three fields are none.

    :ivar acknowledged: messages.
    :ivar repeated: deliveries of what had come before, with the same stanza-id; a crash may cause some.
    :ivar unasked: messages that are stored, and were not acknowledged.
    :ivar lost: acknowledged, and not in the recipient's log.
    :ivar duplicated: more than once in the recipient's log.
    :ivar reordered: not in the order in which their senders sent them there, by the recipient's log.
    :ivar copies: acknowledged, and not exactly once or out of order in the sender's log.
    :ivar undelivered: acknowledged, and never came.
    :ivar disordered: came first behind one that their sender had sent later.
    :ivar misnamed: deliveries whose stanza-id is not that of the row.
    :ivar contradicted: acknowledged first, refused later.
    :ivar archive: differences between what the archive says and the rows.
    """

    acknowledged: int
    repeated: int
    unasked: int
    lost: int
    duplicated: int
    reordered: int
    copies: int
    undelivered: int
    disordered: int
    misnamed: int
    contradicted: int
    archive: int

    @property
    def faults(self) -> dict[str, int]:
        """What there is that must not be."""
        found = {field.name: getattr(self, field.name) for field in fields(self)[3:]}
        return {name: count for name, count in found.items() if count}


def audit(ledger: Ledger, logs: Logs, archives: Mapping[str, Sequence[tuple[int, str]]]) -> Findings:
    """Compare.

    :param archives: for each recipient (id, name) of each result, in the archive's order.
    """
    acknowledged = ledger.acknowledged()
    received = {owner: [row for row in rows if row.direction == RECEIVED] for owner, rows in logs.items()}
    times = Counter((owner, row.name) for owner, rows in received.items() for row in rows)
    firsts = {owner: list(dict.fromkeys(each.name for each in come)) for owner, come in ledger.deliveries.items()}
    come = sum(len(each) for each in ledger.deliveries.values())
    return Findings(
        acknowledged=len(acknowledged),
        repeated=come - sum(len(names) for names in firsts.values()),
        unasked=len(times) - sum(1 for message in acknowledged if times[message.to, message.name]),
        lost=sum(1 for message in acknowledged if not times[message.to, message.name]),
        duplicated=sum(1 for count in times.values() if count > 1),
        reordered=sum(_steps_back([row.name for row in rows], ledger) for rows in received.values()),
        copies=_wrong_copies(acknowledged, logs, ledger),
        undelivered=len(ledger.owed),
        disordered=sum(_steps_back(names, ledger) for names in firsts.values()),
        misnamed=_misnamed(ledger, received),
        contradicted=len(ledger.contradictions),
        archive=_differences(received, archives),
    )


def _steps_back(names: Iterable[str], ledger: Ledger) -> int:
    """Return how many messages stand behind one that their sender sent later to the same addressee."""
    newest: dict[tuple[str, str], int] = defaultdict(int)
    back = 0
    for name in names:
        message = ledger.messages[name]
        pair = message.sender, message.to
        back += message.number <= newest[pair]
        newest[pair] = max(newest[pair], message.number)
    return back


def _wrong_copies(acknowledged: Sequence[Message], logs: Logs, ledger: Ledger) -> int:
    sent = {owner: [row.name for row in rows if row.direction == SENT] for owner, rows in logs.items()}
    times = Counter((owner, name) for owner, names in sent.items() for name in names)
    wrong = sum(1 for message in acknowledged if times[message.sender, message.name] != 1)
    return wrong + sum(_steps_back(names, ledger) for names in sent.values())


def _misnamed(ledger: Ledger, received: Logs) -> int:
    """Return how many deliveries have another id than their row."""
    ids = {(owner, row.name): str(row.id) for owner, rows in received.items() for row in rows}
    deliveries = [(owner, each) for owner, come in ledger.deliveries.items() for each in come]
    return sum(1 for owner, each in deliveries if ids.get((owner, each.name)) != each.row)


def _differences(received: Logs, archives: Mapping[str, Sequence[tuple[int, str]]]) -> int:
    wrong = 0
    for owner, results in archives.items():
        rows = [(row.id, row.name) for row in received[owner]]
        wrong += len(set(rows) ^ set(results)) + (rows != list(results))
    return wrong
