"""Which messages may be repetitions: those that a client sends in the beginning, after a session that sent something."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

TO = "juliet@capulet.example"


def say(client: Client, id: str, to: str = TO) -> None:
    client.sends(f"<message to='{to}' type='chat' id='{id}'><body>{id}</body></message>")


def questions(server: Server) -> int:
    """Return how often the log was asked for keys."""
    tally = server.database.tallies.by_name.get("log.keys")
    return 0 if tally is None else tally.count


@pytest.fixture
def juliet(server: Server) -> Client:
    """She is written to."""
    return server.online(f"{TO}/balcony")


@pytest.fixture
def romeo(server: Server) -> Client:
    """He writes."""
    return server.online("romeo@montague.example/orchard")


def test_nothing_is_asked_of_a_first_session(server: Server, romeo: Client, juliet: Client) -> None:
    """Whoever had no session before repeats nothing."""
    say(romeo, "one")
    assert questions(server) == 0


def test_one_question_for_each_address(server: Server, romeo: Client, juliet: Client) -> None:
    """However many messages follow."""
    say(romeo, "one")
    romeo.loses_connection()
    again = server.online("romeo@montague.example/orchard")
    for id in ("two", "three"):
        say(again, id)
    assert questions(server) == 1
    say(again, "four", to="nurse@capulet.example")
    assert questions(server) == 1  # she has no account
    server.account("nurse@capulet.example")
    say(again, "five", to="nurse@capulet.example")
    assert questions(server) == 2


def test_none_where_nothing_was_sent(server: Server, romeo: Client, juliet: Client) -> None:
    """A session that sent nothing for long has nothing to be repeated."""
    say(romeo, "one")
    server.advance(minutes=6)
    romeo.loses_connection()
    say(server.online("romeo@montague.example/orchard"), "two")
    assert questions(server) == 0


def test_what_is_under_way_is_known(server: Server, romeo: Client, juliet: Client) -> None:
    """A message that is not committed yet when it is sent again is stored once."""
    server.log.hold()
    say(romeo, "one")
    romeo.loses_connection()
    again = server.online("romeo@montague.example/orchard")
    say(again, "one")
    server.log.release()
    juliet.receives_any()
    juliet.receives_nothing()


def test_behind_a_crash_anybody_may_repeat(server: Server, romeo: Client, juliet: Client) -> None:
    """Nobody knows who was connected before the node started; what was committed last is not stored again."""
    say(romeo, "one")
    server.dies()
    server.begins_anew()
    juliet = server.online(f"{TO}/balcony")
    juliet.forgets()
    again = server.online("romeo@montague.example/orchard")
    say(again, "one")
    juliet.receives_nothing()
    say(again, "two")
    assert juliet.receives_any().get("id") == "two"


def test_a_message_to_oneself(server: Server, romeo: Client) -> None:
    """It has one row; its repetition, none."""
    street = server.online("romeo@montague.example/street")
    say(romeo, "one", to="romeo@montague.example")
    street.forgets()
    romeo.loses_connection()
    street.forgets()
    say(server.online("romeo@montague.example/orchard"), "one", to="romeo@montague.example")
    assert [element.get("id") for element in street.inbox if element.tag.endswith("message")] == []


def test_again_and_again(server: Server, romeo: Client, juliet: Client) -> None:
    """A client that loses each connection before it hears anything repeats itself for long, and is stored once."""
    say(romeo, "one")
    juliet.forgets()
    for _ in range(3):
        romeo.loses_connection()
        server.advance(minutes=11)
        juliet.forgets()
        romeo = server.online("romeo@montague.example/orchard")
        say(romeo, "one")
        juliet.receives_nothing()
