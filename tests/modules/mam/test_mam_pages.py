"""XEP-0313: Message Archive Management: paging through results, and limits."""

import pytest
from twisted.internet.defer import Deferred

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.schema import Size
from xmppd.core.message_log import Query, Row

from .archive import BALCONY, CHAMBER, JULIET, ORCHARD, ROMEO, Answer, archived, ask, form, numbered, page, query, says


class TestPaging:
    """Paging through results."""

    def test_forwards(self, ten: list[str], juliet: Client) -> None:
        """Requesting pages: each goes on behind the last message of the one before."""
        pages, after = [], ""
        while True:
            found = ask(juliet, page(f"<max>4</max><after>{after}</after>"))
            pages.append(found.bodies)
            assert (found.first, found.last) == (found.ids[0], found.ids[-1])
            after = found.last or ""
            if found.is_complete:
                break
        assert pages == [numbered(10)[:4], numbered(10)[4:8], numbered(10)[8:]]

    def test_backwards(self, ten: list[str], juliet: Client) -> None:
        """Requesting the last page: and on from there; within a page the order stays."""
        last = ask(juliet, page("<max>4</max><before/>"))
        assert (last.bodies, last.is_complete) == (numbered(10)[6:], False)
        before = ask(juliet, page(f"<max>4</max><before>{last.first}</before>"))
        assert (before.bodies, before.is_complete) == (numbered(10)[2:6], False)
        first = ask(juliet, page(f"<max>4</max><before>{before.first}</before>"))
        assert (first.bodies, first.is_complete) == (numbered(10)[:2], True)

    def test_a_page_that_just_fits(self, ten: list[str], juliet: Client) -> None:
        """Page limits: results that were not limited are complete."""
        assert ask(juliet, page("<max>10</max>")).is_complete
        assert not ask(juliet, page("<max>9</max>")).is_complete

    def test_behind_the_last(self, ten: list[str], juliet: Client) -> None:
        """Requesting pages: nothing is behind the last message, nor before the first."""
        assert ask(juliet, page(f"<after>{ten[-1]}</after>")).is_complete
        assert ask(juliet, page(f"<before>{ten[0]}</before>")).results == []

    def test_flipped(self, ten: list[str], juliet: Client) -> None:
        """Flipped pages: the same page the other way round; its first message is first all the same."""
        plain = ask(juliet, page("<max>3</max><before/>"))
        flipped = ask(juliet, page("<max>3</max><before/>"), "<flip-page/>")
        assert flipped.ids == plain.ids[::-1]
        assert (flipped.first, flipped.last) == (plain.first, plain.last)

    def test_new_messages_do_not_move_pages(self, ten: list[str], juliet: Client, romeo: Client) -> None:
        """Order of messages: pages are found by ids, so that what comes meanwhile changes nothing."""
        says(romeo, JULIET, "one more")
        assert ask(juliet, page(f"<max>4</max><after>{ten[3]}</after>")).ids == ten[4:8]

    def test_count(self, ten: list[str], juliet: Client) -> None:
        """Getting the Item Count (XEP-0059): who asks for nothing else is told."""
        found = ask(juliet, form(after_id=ten[3]), page("<max>0</max>"))
        assert (found.results, found.count, found.first, found.is_complete) == ([], "6", None, False)
        assert ask(juliet, form(after_id=ten[9]), page("<max>0</max>")).is_complete
        assert ask(juliet, page("<max>3</max>")).count is None

    def test_both_ways_at_once(self, ten: list[str], juliet: Client) -> None:
        """Requesting pages: what <before/> and <after/> mean together is not defined."""
        juliet.forgets()
        juliet.sends(query(page(f"<before>{ten[4]}</before><after>{ten[1]}</after>")))
        juliet.receives_error("bad-request")


class TestLimits:
    """Page limits: a server conserves resources."""

    def test_page(self) -> None:
        """Who does not say how much gets the usual, who wants too much gets the largest page."""
        server = Server(modules={"mam": {"page": 3, "largest_page": 5}})
        juliet, romeo = server.online(CHAMBER), server.online(ORCHARD)
        says(romeo, JULIET, *numbered(7))
        assert ask(juliet).bodies == numbered(7)[:3]
        assert ask(juliet, page("<max>100</max>")).bodies == numbered(7)[:5]
        assert not ask(juliet, page("<max>100</max>")).is_complete
        juliet.sends(query(form(ids=[str(number) for number in range(6)])))
        juliet.receives_error("policy-violation")

    def test_large_messages(self) -> None:
        """A page has a size as well; who pages on gets everything."""
        server = Server(modules={"mam": {"page_size": Size("16 KiB")}})
        juliet, romeo = server.online(CHAMBER), server.online(ORCHARD)
        says(romeo, JULIET, *(letter * 3600 for letter in "abc"))
        found = ask(juliet)
        assert ([str(body)[0] for body in found.bodies], found.is_complete) == (["a", "b"], False)
        rest = ask(juliet, page(f"<after>{found.last}</after>"))
        assert ([str(body)[0] for body in rest.bodies], rest.is_complete) == (["c"], True)

    def test_queries_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each client of an account waits for its answer; all of them together have so many."""
        server = Server(modules={"mam": {"queries": 2}})
        clients = [server.online(f"{JULIET}/{number}") for number in range(3)]
        waiting: list[Deferred[list[Row]]] = []

        async def never(_: Query) -> list[Row]:
            waiting.append(Deferred())
            return await waiting[-1]

        monkeypatch.setattr(server.node.log, "page", never)
        for client in clients:
            client.forgets()
        for client in clients:
            client.sends(query())
        clients[2].receives_error("resource-constraint", "wait")
        clients[2].sends("<iq type='get' id='v'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert clients[2].receives_any().get("type") == "result"
        for each in waiting:
            each.callback([])
        for client in clients[:2]:
            assert client.receives_any().get("type") == "result"
        clients[2].sends(query())
        waiting[-1].callback([])
        assert clients[2].receives_any().get("type") == "result"

    def test_a_client_that_goes_meanwhile(
        self, server: Server, juliet: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Results for somebody who is gone go nowhere, and the place is free again."""
        waiting: Deferred[list[Row]] = Deferred()

        async def slow(_: Query) -> list[Row]:
            return await waiting

        monkeypatch.setattr(server.node.log, "page", slow)
        juliet.sends(query())
        juliet.loses_connection()
        row = Row(1, ROMEO, 0, 0, 1, None, b"<message from='a@b'/>")
        waiting.callback([row, row])
        server.run()
        monkeypatch.undo()
        assert archived(server.online(CHAMBER)) == []

    def test_a_client_that_does_not_read(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Results wait until the client has room for them; nothing is lost, and others go on."""
        says(romeo, JULIET, *(letter * 9000 for letter in "abcdefghijklmnopqrst"))
        juliet.forgets()
        juliet.stops_reading()
        juliet.sends(query())
        assert juliet.connection.unread < 150_000
        assert len(ask(server.online(BALCONY), page("<max>1</max>")).results) == 1
        juliet.reads_again()
        found = Answer(juliet.inbox.pop(), list(juliet.inbox))
        assert len(found.results) >= 20
