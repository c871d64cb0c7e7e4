"""`log stats`, `log writers` and `log retention`; purging and exporting have files of their own."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.admin.message_log import age, shards_table, writers_table
from xmppd.core.log_survey import Extent, Rate, ShardFigures
from xmppd.core.results import CommandError, Exit

from .conversation import BALCONY, JULIET, ORCHARD, ROMEO, says, streamed
from .office import NOON, Office


@pytest.fixture
def romeo(office: Office) -> Client:
    """Romeo has written to Juliet three times; she was not there."""
    office.server.account(JULIET)
    client = office.server.online(ORCHARD)
    says(client, "hark", "what light", "it is the east")
    return client


def test_stats_of_an_account(office: Office, romeo: Client) -> None:
    """How many messages, since when, what they take, how many wait, and for how long they are kept."""
    found = office.values("log stats", account=JULIET)
    assert (found["of"], found["messages"], found["exact"], found["waiting"]) == (JULIET, 3, True, 3)
    assert found["size"] > 3 * len("<message><body>hark</body></message>")
    assert found["first"].timestamp() == pytest.approx(NOON)
    assert found["first"] <= found["last"]
    assert (found["stores"], found["kept_for"]) == (True, None)
    assert office.values("log stats", account=ROMEO)["waiting"] == 0


def test_stats_behind_a_delivery(office: Office, romeo: Client) -> None:
    """What was delivered a moment ago waits no more, though cursors are written later."""
    office.server.online(BALCONY)
    assert office.values("log stats", account=JULIET)["waiting"] == 0
    assert office.values("log stats", host="capulet.example")["waiting"] == 0
    assert office.rows("log stats")[0][-1] == 0


def test_stats_of_a_host(office: Office, romeo: Client) -> None:
    """The same for all of a host's accounts."""
    found = office.values("log stats", host="capulet.example")
    assert (found["of"], found["messages"], found["waiting"]) == ("capulet.example", 3, 3)
    assert office.values("log stats", host="shakespeare.example")["first"] is None


def test_stats_of_all(office: Office, romeo: Client) -> None:
    """A row for each shard: both sides of a conversation are kept."""
    romeo.server.advance(60)
    [row] = office.rows("log stats")
    shard, rows, exact, size, oldest, newest, waiting = row
    assert (shard, rows, exact, waiting) == (0, 6, True, 3)
    assert size > 0
    assert (oldest, newest) == (60, 60)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"account": "juliet@capulet.example/balcony"}, Exit.USAGE),
        ({"account": "capulet.example"}, Exit.USAGE),
        ({"account": "juliet@verona.example"}, Exit.UNKNOWN),
        ({"host": "verona.example"}, Exit.UNKNOWN),
        ({"account": JULIET, "host": "montague.example"}, Exit.USAGE),
    ],
)
def test_whose(office: Office, given: dict[str, object], code: Exit) -> None:
    """What is named must be an account or a host of this server."""
    with pytest.raises(CommandError) as caught:
        office.run("log stats", **given)
    assert caught.value.code is code


def test_writers(office: Office, romeo: Client) -> None:
    """What waits to be stored, and commits, with how many rows each has and how long each takes."""
    shard, all_of_them = office.rows("log writers")
    assert shard[:2] == [0, 0]
    assert shard[2] == all_of_them[2] >= 1
    assert all_of_them[0] == "all"
    assert shard[3] == all_of_them[3] == round(6 / all_of_them[2], 1)
    assert shard[4] >= 0


def test_writers_of_many_shards() -> None:
    """Rows in a batch are counted for all shards together; where nothing was committed there is nothing to tell."""
    shards = [ShardFigures(number, "db", Extent(0, 0, None, None), 0, number, number, 0.5) for number in range(3)]
    table = writers_table(shards, Rate(12, 0, 4, 0.1))
    assert list(table.rows) == [
        (0, 0, 0, None, None),
        (1, 1, 1, None, 0.5),
        (2, 2, 2, None, 0.25),
        ("all", 3, 4, 3.0, 0.025),
    ]
    assert list(writers_table([], Rate(0, 0, 0, 0)).rows) == [("all", 0, 0, None, None)]


def test_ages() -> None:
    """How long ago; never less than nothing, as databases have clocks of their own."""
    assert (age(None, NOON), age(NOON - 2, NOON), age(NOON + 2, NOON)) == (None, 2, 0)
    table = shards_table([ShardFigures(0, "db", Extent(1, 2, NOON - 5, NOON - 1, False), 1, 0, 0, 0.0)], NOON)
    assert list(table.rows) == [(0, 1, False, 2, 5, 1, 1)]


def test_retention() -> None:
    """What each host keeps, for how long, and how old its oldest message is."""
    office = Office(Server(hosts=("capulet.example", "montague.example"), retention=3600.0))
    office.server.account(JULIET)
    says(office.server.online(ORCHARD), "hark")
    office.server.advance(60)
    assert office.rows("log retention") == [
        ["capulet.example", True, 3600.0, 60, 1],
        ["montague.example", True, 3600.0, 60, 1],
    ]
    assert office.rows("log retention", host="capulet.example")[0][0] == "capulet.example"
    assert office.values("log stats", host="capulet.example")["kept_for"] == 3600.0


def test_purge_needs_to_know_whose(office: Office) -> None:
    """Nothing is removed of everybody by mistake."""
    for given in ({}, {"account": JULIET, "host": "montague.example"}, {"host": "verona.example"}):
        with pytest.raises(CommandError):
            streamed(office, "log purge", **given)


def test_purge(office: Office, romeo: Client) -> None:
    """An account's messages go; those of the other side of the conversation stay."""
    rows = streamed(office, "log purge", account=JULIET)
    assert rows[-1] == {"sentence": "3 messages of juliet@capulet.example removed", "removed": 3}
    assert office.values("log stats", account=JULIET)["messages"] == 0
    assert office.values("log stats", account=ROMEO)["messages"] == 3


def test_purge_what_is_old(office: Office, romeo: Client) -> None:
    """What is younger than the age that was named stays."""
    office.server.advance(hours=2)
    says(office.server.online(ORCHARD), "good night", id="n")
    rows = streamed(office, "log purge", host="capulet.example", before="1h")
    assert rows[-1] == {"sentence": "3 messages of 1 account of capulet.example removed", "removed": 3}
    assert office.values("log stats", account=JULIET)["messages"] == 1


def test_export(office: Office, romeo: Client) -> None:
    """The lines of the archive, and how many messages they were."""
    rows = streamed(office, "log export", account=JULIET, file="juliet.xml")
    assert sum("<result " in row.get("line", "") for row in rows) == 3
    assert rows[-1] == {"sentence": "3 messages of juliet@capulet.example written", "messages": 3}
