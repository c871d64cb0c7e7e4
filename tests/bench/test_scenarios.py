"""The arithmetic of the scenarios: who is whose contact, quantiles, one message for each that arrives."""

from typing import Any

import pytest

from bench.scenarios.latency import STAMP, Arrivals, quantile
from bench.scenarios.messages import Flow
from bench.scenarios.names import contacts_of, friends, users


@pytest.mark.parametrize(("count", "contacts"), [(100, 50), (20, 10), (7, 4)])
def test_friendship_is_mutual(count: int, contacts: int) -> None:
    """Whoever is on a roster has that roster's owner on their own; nobody befriends themselves or twice."""
    rosters = [contacts_of(index, count, contacts) for index in range(count)]
    for index, roster in enumerate(rosters):
        assert len(set(roster)) == contacts
        assert index not in roster
        assert all(index in rosters[contact] for contact in roster)


def test_a_column_of_the_rosters_is_a_permutation() -> None:
    """In each step of `roster` everybody asks one contact and is asked by one."""
    rosters = [contacts_of(index, 20, 10) for index in range(20)]
    for column in zip(*rosters, strict=True):
        assert sorted(column) == list(range(20))


def test_names_do_not_overlap() -> None:
    """Background sessions are other accounts than the pairs."""
    assert users(2, first=3) == [b"user3", b"user4"]
    assert not set(users(50)) & set(friends(50))


def test_quantiles() -> None:
    """The value below which the share lies; the whole share is the largest."""
    ordered = [float(value) for value in range(100)]
    assert quantile(ordered, 0.5) == 50.0
    assert quantile(ordered, 0.99) == 99.0
    assert quantile(ordered, 1.0) == 99.0


class Wire:
    """A connection that only remembers."""

    def __init__(self) -> None:
        self.sent = b""
        self.receive: Any = None

    def send(self, data: bytes) -> None:
        self.sent += data


def test_a_message_leaves_for_each_that_arrives() -> None:
    """The window stays full until the flow ends; ids never repeat."""
    sender: Any = Wire()
    recipient: Any = Wire()
    flow = Flow(sender, b"juliet@localhost", recipient)
    flow.push(2)
    recipient.receive(b"<body>a</body><body>b</bo")
    assert flow.sent == 3
    flow.flowing = False
    recipient.receive(b"dy>")
    assert (flow.sent, flow.arrived.total) == (3, 2)
    ids = [piece.split(b"'")[0] for piece in sender.sent.split(b"' id='")[1:]]
    assert len(set(ids)) == 3


def test_delays_are_read_once_wherever_the_stream_is_cut() -> None:
    """A stamp in two pieces counts once, and so does one that stays in the kept tail."""
    recipient: Any = Wire()
    delays: list[float] = []
    Arrivals(recipient, delays)
    stream = b"<message><body>@12345 text</body></message>" * 3
    for cut in range(0, len(stream), 5):
        recipient.receive(stream[cut : cut + 5])
    assert len(delays) == 3
    assert STAMP.search(stream) is not None
