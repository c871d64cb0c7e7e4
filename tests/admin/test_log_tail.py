"""`log tail`: rows as they are committed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.scenario.client import Client
from xmppd.admin.log_tail import MOST_WAITING, Tail
from xmppd.core.message_log import ARCHIVE, CHAT, SENT, Entry

from .conversation import JULIET, ORCHARD, ROMEO, says
from .office import SOCKET, Office


class Running:
    """A `log tail`, and what it has shown."""

    def __init__(self, office: Office, **given: object) -> None:
        self.rows: list[Any] = []
        self.ended: list[Any] = []
        command = office.registry.find(["log", "tail"])
        work = office.administration.run(SOCKET, command, given, self._each)
        self.running = Deferred.fromCoroutine(work).addBoth(self.ended.append)

    async def _each(self, row: Any) -> None:
        self.rows.append(row)

    def seen(self) -> list[tuple[str, str, str]]:
        return [(row["owner"], row["direction"], row["peer"]) for row in self.rows]


@pytest.fixture
def tail(office: Office) -> Iterator[Callable[..., Running]]:
    """Begin to watch."""
    begun: list[Running] = []

    def begin(**given: object) -> Running:
        begun.append(Running(office, **given))
        return begun[-1]

    yield begin
    for one in begun:
        one.running.cancel()


@pytest.fixture
def romeo(office: Office) -> Client:
    office.server.account(JULIET)
    return office.server.online(ORCHARD)


def test_both_sides(tail: Callable[..., Running], romeo: Client) -> None:
    """A message between two accounts is two rows; each has its time, its id and its size, and nothing of what it says."""
    shown = tail()
    says(romeo, "Wherefore art thou?")
    assert shown.seen() == [(JULIET, "received", ORCHARD), (ROMEO, "sent", JULIET)]
    row = shown.rows[0]
    assert (row["time"], row["kind"]) == ("12:00:00.000", "chat")
    assert int(row["id"]) > 0
    assert row["size"] > 100
    assert "Wherefore" not in str(shown.rows)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"jid": JULIET}, 2),
        ({"jid": "capulet.example"}, 2),
        ({"jid": ORCHARD}, 1),
        ({"jid": "nurse@capulet.example"}, 0),
        ({"direction": "sent"}, 1),
        ({"direction": "received", "jid": ROMEO}, 1),
    ],
)
def test_filter(tail: Callable[..., Running], romeo: Client, given: dict[str, object], count: int) -> None:
    """One sees whose and whichever way one asked for."""
    shown = tail(**given)
    says(romeo, "hark")
    assert len(shown.seen()) == count


def test_count(tail: Callable[..., Running], romeo: Client) -> None:
    """It ends by itself after so many."""
    shown = tail(count=3)
    says(romeo, "a", "b")
    assert len(shown.rows) == 3
    assert shown.ended != []


def test_nobody_watches_for_nothing(office: Office, tail: Callable[..., Running], romeo: Client) -> None:
    """Nothing stands in the way of messages once nobody looks."""
    inboxes = office.server.node.router.inboxes
    shown = tail()
    assert "note" in vars(inboxes)
    shown.running.cancel()
    assert "note" not in vars(inboxes)
    says(romeo, "hark")
    assert shown.rows == []


def entry(is_repeated: bool = False) -> Entry:
    made = Entry(ROMEO, JULIET, SENT, CHAT, ARCHIVE, b"<message/>")
    made.is_repeated = is_repeated
    return made


def test_what_was_not_stored_again(office: Office) -> None:
    """A repetition appends nothing, so there is nothing to show."""
    shown = Tail()
    shown.see(entry(is_repeated=True))
    assert not shown.rows


def test_slow_reader_loses_rows_and_is_told(office: Office) -> None:
    """Rows for somebody who does not read are bounded."""
    shown = Tail()
    for _ in range(MOST_WAITING + 2):
        shown.see(entry())
    rows = [office.server.wait(shown.next()) for _ in range(MOST_WAITING + 1)]
    assert rows[-1] == {"dropped": 2}
