"""All managed sessions of a node."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

from .clients import (
    JULIET,
    NS,
    REQUEST,
    ROMEO,
    SM,
    a,
    authenticated,
    condition,
    enables,
    message,
    resumable,
    resumes,
    server_knows,
    stanzas,
)


class TestResumption:
    """Resumption."""

    def test_resumed(self, server: Server, juliet: Client, romeo: Client) -> None:
        """The session goes on: what was lost is sent again in order, both counts are told, nobody has noticed."""
        id = resumable(juliet)
        romeo.sends(message(1) + message(2))
        juliet.sends(f"{a(1)}<iq id='one' to='capulet.example' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
        juliet.loses_connection()
        romeo.sends(message(3))
        romeo.receives_nothing()
        again = resumes(server, id, 1)
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")
        assert stanzas(again) == ["m2", "one", "m3"]
        romeo.sends(message(4))
        assert stanzas(again) == ["m4"]
        again.sends(message(5, ROMEO))
        assert romeo.receives_any().get("from") == JULIET

    def test_counts_go_on(self, server: Server, juliet: Client, romeo: Client) -> None:
        """The sequence values are carried over."""
        id = resumable(juliet)
        juliet.sends("<presence><show>away</show></presence>")
        juliet.loses_connection()
        again = resumes(server, id, 1)
        again.receives_any()
        romeo.sends(message())
        again.sends(f"<presence/>{REQUEST}")
        told = [element.get("h") for element in again.inbox if element.tag == f"{SM}a"]
        assert told == ["2"]
        again.sends(a(3))
        again.sends(REQUEST)
        assert not again.stream_ended

    def test_twice(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A session can be resumed again and again, by the same id."""
        id = resumable(juliet)
        client = juliet
        for number in range(3):
            client.loses_connection()
            romeo.sends(message(number))
            client = resumes(server, id, number)
            client.receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")
            assert stanzas(client) == [f"m{number}"]

    def test_asked_at_once(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What is sent again is asked for."""
        id = resumable(juliet)
        romeo.sends(message())
        juliet.loses_connection()
        again = resumes(server, id, 0)
        assert [element.tag for element in again.inbox][-1] == f"{SM}r"

    def test_old_connection_open(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A connection that is still open is closed with a conflict, and the session handed over."""
        id = resumable(juliet)
        romeo.sends(message())
        assert stanzas(juliet) == ["m1"]
        again = resumes(server, id, 0)
        juliet.receives_stream_error("conflict")
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")
        assert stanzas(again) == ["m1"]
        romeo.receives_nothing()

    def test_while_only_the_senders_copy_is_missing(self, server: Server, juliet: Client, romeo: Client) -> None:
        """It is not answered before that is committed, too: a message that was delivered was begun."""
        server.log.is_split = True
        id = resumable(romeo)
        server.log.hold()
        romeo.sends(message(1))
        server.log.release(1)
        assert stanzas(juliet) == ["m1"]
        romeo.loses_connection()
        again = resumes(server, id, 0, ROMEO)
        again.receives_nothing()
        server.log.release()
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")

    def test_told_when_the_senders_copy_is_there(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A request is answered at once, and again when what was missing is settled."""
        server.log.is_split = True
        resumable(romeo)
        server.log.hold()
        romeo.sends(message(1))
        server.log.release(1)
        romeo.sends(REQUEST)
        romeo.receives(a(0))
        server.log.release()
        romeo.receives(a(1))

    def test_pipelined(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Stanzas may follow the request in one piece."""
        id = resumable(juliet)
        juliet.loses_connection()
        again = authenticated(server)
        again.sends(f"<resume xmlns='{NS}' previd='{id}' h='0'/>{message(1, ROMEO)}{REQUEST}")
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")
        again.receives(a(0))  # at once what is settled, and more when it is
        again.receives(a(1))
        assert romeo.receives_any().get("id") == "m1"

    @pytest.mark.parametrize("jid", [ROMEO, "nurse@capulet.example/pantry"])
    def test_of_another_account(self, server: Server, juliet: Client, jid: str) -> None:
        """Another account's session is unknown, even if its id is not."""
        id = resumable(juliet)
        juliet.loses_connection()
        assert condition(resumes(server, id, 0, jid).receives_any()) == "item-not-found"
        assert resumes(server, id, 0).receives_any().tag == f"{SM}resumed"

    def test_unknown(self, server: Server) -> None:
        """An unknown id is told without a count, and a resource can be bound instead."""
        client = resumes(server, "some-long-sm-id", 0)
        failed = client.receives_any()
        assert (condition(failed), failed.get("h")) == ("item-not-found", None)
        assert client.binds("balcony") == JULIET

    @pytest.mark.parametrize("attributes", ["h='0'", "previd='' h='0'", "previd='x'", "previd='x' h='-1'"])
    def test_malformed(self, server: Server, attributes: str) -> None:
        """A request that names no session or no count is refused."""
        client = authenticated(server)
        client.sends(f"<resume xmlns='{NS}' {attributes}/>")
        assert condition(client.receives_any()) == "bad-request"

    def test_behind_binding(self, server: Server, juliet: Client) -> None:
        """Behind resource binding it is too late."""
        juliet.sends(f"<resume xmlns='{NS}' previd='x' h='0'/>")
        assert condition(juliet.receives_any()) == "unexpected-request"

    def test_too_high(self, server: Server, juliet: Client) -> None:
        """A count of what was never sent ends the stream, and the session too: nobody could make sense of it."""
        id = resumable(juliet)
        juliet.loses_connection()
        resumes(server, id, 7).receives_stream_error("undefined-condition")
        assert condition(resumes(server, id, 0).receives_any()) == "item-not-found"

    def test_without_resumption(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A session that cannot be resumed ends with its connection."""
        enables(juliet)
        juliet.loses_connection()
        assert server.node.sessions.of("juliet@capulet.example") == ()

    def test_too_many_tries(self, server: Server) -> None:
        """Nobody may guess for ever."""
        client = authenticated(server)
        client.sends(f"<resume xmlns='{NS}' previd='x' h='0'/>" * 21)
        assert client.stream_ended


class TestTimeOut:
    """Resumption: until when."""

    def test_timed_out(self, server: Server, juliet: Client) -> None:
        """Too late the answer has the count; contacts learn that the resource is gone when its time is over."""
        chamber = server.online("juliet@capulet.example/chamber")
        id = resumable(juliet, max="120")
        juliet.sends("<presence><show>away</show></presence>")
        chamber.forgets()
        juliet.loses_connection()
        server.advance(119)
        chamber.receives_nothing()
        server.advance(2)
        assert chamber.receives_any().get("type") == "unavailable"
        failed = resumes(server, id, 1).receives_any()
        assert (condition(failed), failed.get("h")) == ("item-not-found", "1")

    def test_wish(self, server: Server, juliet: Client) -> None:
        """The client's smaller wish is honoured."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        server.advance(59)
        assert len(server.node.sessions.of("juliet@capulet.example")) == 1
        server.advance(2)
        assert len(server.node.sessions.of("juliet@capulet.example")) == 0

    def test_resumed_in_time(self, server: Server, juliet: Client) -> None:
        """Who has come back is not timed out."""
        id = resumable(juliet)
        juliet.loses_connection()
        again = resumes(server, id, 0)
        again.forgets()
        server.advance(minutes=4)
        again.sends("<presence/>")
        server.advance(minutes=4)
        again.sends("<presence/>")
        server.advance(minutes=4)
        assert len(server.node.sessions.of("juliet@capulet.example")) == 1


class TestLimits:
    """A quota for everything."""

    def test_per_account(self) -> None:
        """One session too many of an account ends the one that has waited longest."""
        server = Server(modules={"stream_management": {"hibernating_per_account": 2}})
        ids = []
        for resource in ("one", "two", "three"):
            client = server.connect(f"juliet@capulet.example/{resource}")
            ids.append(resumable(client))
            client.loses_connection()
            server.advance(1)
        assert [server_knows(server, id) for id in ids] == [False, True, True]

    def test_in_all(self) -> None:
        """Nor does the node keep any number of them."""
        server = Server(modules={"stream_management": {"hibernating": 2}})
        for name in ("romeo", "benvolio", "mercutio"):
            client = server.connect(f"{name}@montague.example/here")
            resumable(client)
            client.loses_connection()
        assert len(server.node.sessions) == 2
        assert server.node.sessions.of("romeo@montague.example") == ()

    @pytest.mark.parametrize("option", ["hibernating", "hibernating_per_account"])
    def test_none(self, option: str) -> None:
        """None may mean none."""
        server = Server(modules={"stream_management": {option: 0}})
        juliet = server.connect(JULIET)
        resumable(juliet)
        juliet.loses_connection()
        assert len(server.node.sessions) == 0

    def test_room_for_a_new_session(self) -> None:
        """At an account's limit of sessions, one that waits makes room for one that begins."""
        server = Server(limits={"sessions_per_account": 2})
        first = server.connect("juliet@capulet.example/one")
        server.connect("juliet@capulet.example/two")
        resumable(first)
        first.loses_connection()
        server.connect("juliet@capulet.example/three")
        assert [session.resource for session in server.node.sessions.of("juliet@capulet.example")] == ["two", "three"]


class TestNumbers:
    """What is counted."""

    def test_metrics(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Sessions that were resumed or not, those that wait, what is not acknowledged, and how long answers took."""
        management = server.node.clients.management
        counters = management.counters
        id = resumable(juliet)
        romeo.sends("".join(message(number) for number in range(10)))
        assert management.depth() == 10
        server.advance(2)
        juliet.sends(a(4))
        assert (management.depth(), counters.acknowledgements, counters.acknowledgement_milliseconds) == (6, 1, 2000)
        juliet.loses_connection()
        assert (counters.enabled, counters.hibernated, counters.hibernating) == (1, 1, 1)
        resumes(server, "unknown", 0)
        resumes(server, id, 4)
        assert (counters.resumed, counters.hibernating, dict(counters.not_resumed)) == (1, 0, {"unknown": 1})

    def test_ended(self, server: Server, juliet: Client) -> None:
        """Sessions that waited in vain."""
        id = resumable(juliet, max="60")
        juliet.loses_connection()
        server.advance(61)
        resumes(server, id, 0)
        counters = server.node.clients.management.counters
        assert dict(counters.ended) == {"time-out": 1}
        assert dict(counters.not_resumed) == {"too late": 1}
        assert counters.hibernating == 0
