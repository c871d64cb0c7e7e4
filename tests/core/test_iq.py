"""Who answers which request, and the answers to our own."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.core.drive import drive
from xmppd.core.iq import AlreadyAnswered, IqRequest, Iqs, Target, iq
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import (
    FeatureNotImplemented,
    InternalServerError,
    ItemNotFound,
    RemoteServerTimeout,
    ResourceConstraint,
    ServiceUnavailable,
    StanzaError,
    UndefinedCondition,
)
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET = Jid("juliet@capulet.example/balcony")
NURSE = Jid("nurse@capulet.example/kitchen")
HOST = Jid("capulet.example")


class Pong:
    @iq("get", "{urn:x}ping", Target.HOST, Target.ACCOUNT)
    async def pong(self, request: IqRequest) -> Element:
        return E("{urn:x}pong", target=request.target)


class Profile:
    @iq("get", "{urn:x}profile", Target.ANY_ACCOUNT)
    async def show(self, request: IqRequest) -> Element:
        return E("{urn:x}profile")

    @iq("set", "{urn:x}profile")
    async def change(self, request: IqRequest) -> None:
        raise ItemNotFound("none")

    @iq("get", "{urn:x}bug", Target.HOST)
    async def fail(self, request: IqRequest) -> None:
        raise KeyError("x")


def request(type: str, name: str, to: Jid, from_: Jid = JULIET) -> IqRequest:
    """Return a request as the router makes it."""
    payload = E(f"{{urn:x}}{name}")
    return IqRequest(Stanza.build("iq", payload, to=to, from_=from_, type=type, id="1"), to, from_, payload)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def iqs(clock: Clock) -> Iqs:
    iqs = Iqs(clock)
    iqs.bind("pong", Pong())
    iqs.bind("profile", Profile())
    return iqs


class TestAnswering:
    """A request has exactly one answerer."""

    @pytest.mark.parametrize(
        ("type", "name", "target", "to", "from_", "owner"),
        [
            ("get", "ping", Target.HOST, HOST, JULIET, "pong"),
            ("get", "ping", Target.ACCOUNT, JULIET.bare, JULIET, "pong"),
            ("get", "profile", Target.ACCOUNT, JULIET.bare, JULIET, "profile"),
            ("get", "profile", Target.ACCOUNT, JULIET.bare, NURSE, "profile"),
            ("set", "profile", Target.ACCOUNT, JULIET.bare, JULIET, "profile"),
        ],
    )
    def test_found(self, iqs: Iqs, type: str, name: str, target: Target, to: Jid, from_: Jid, owner: str) -> None:
        """By type, payload and target; who answers anybody answers the account itself, too."""
        assert iqs.find(request(type, name, to, from_), target)[0] == owner

    @pytest.mark.parametrize(
        ("type", "name", "target", "to", "from_", "error"),
        [
            ("set", "ping", Target.HOST, HOST, JULIET, FeatureNotImplemented),
            ("get", "profile", Target.HOST, HOST, JULIET, ServiceUnavailable),
            ("get", "nothing", Target.HOST, HOST, JULIET, ServiceUnavailable),
            ("get", "ping", Target.ACCOUNT, JULIET.bare, NURSE, ServiceUnavailable),
            ("set", "profile", Target.ACCOUNT, JULIET.bare, NURSE, ServiceUnavailable),
            ("get", "ping", Target.BEFORE_LOGIN, HOST, HOST, ServiceUnavailable),
        ],
    )
    def test_not_found(
        self, iqs: Iqs, type: str, name: str, target: Target, to: Jid, from_: Jid, error: type[StanzaError]
    ) -> None:
        """The wrong type is told, but not to strangers of an account, for whom nothing is there."""
        with pytest.raises(StanzaError) as raised:
            iqs.find(request(type, name, to, from_), target)
        assert raised.type is error

    def test_answers(self, iqs: Iqs) -> None:
        """An answerer returns its payload or raises its error; a bug is internal-server-error."""
        answer = drive(iqs.answer(request("get", "ping", HOST), Target.HOST))
        assert answer == E("{urn:x}pong", target="capulet.example")
        with pytest.raises(ItemNotFound):
            drive(iqs.answer(request("set", "profile", JULIET.bare), Target.ACCOUNT))
        with pytest.raises(InternalServerError):
            drive(iqs.answer(request("get", "bug", HOST), Target.HOST))

    def test_storage_that_is_down(self, iqs: Iqs) -> None:
        """Who asks what a database that is down would know is told to wait."""

        class Library:
            @iq("get", "{urn:x}book", Target.HOST)
            async def lend(self, request: IqRequest) -> None:
                raise StorageUnavailable("db.example is down")

        iqs.bind("library", Library())
        with pytest.raises(ResourceConstraint) as refused:
            drive(iqs.answer(request("get", "book", HOST), Target.HOST))
        assert refused.value.element().get("type") == "wait"

    def test_second_answerer(self, iqs: Iqs) -> None:
        """Two modules that answer the same are an error when the second comes, and nothing of it is bound."""

        class Rival:
            @iq("get", "{urn:x}mine", Target.HOST)
            async def mine(self, request: IqRequest) -> None:
                """Answer."""

            @iq("get", "{urn:x}ping", Target.HOST)
            async def pong(self, request: IqRequest) -> None:
                """Answer."""

        before = iqs.entries()
        with pytest.raises(AlreadyAnswered, match="rival and pong both answer get"):
            iqs.bind("rival", Rival())
        assert iqs.entries() == before

    def test_unbind(self, iqs: Iqs) -> None:
        """All answers of one owner go."""
        iqs.unbind("profile")
        assert iqs.entries() == [
            ("get", "{urn:x}ping", Target.ACCOUNT, "pong"),
            ("get", "{urn:x}ping", Target.HOST, "pong"),
        ]


def answered(waiting: "Deferred[Any]") -> list[Any]:
    """Return the list to which an answer, or its error, is added."""
    got: list[Any] = []
    waiting.addCallbacks(got.append, lambda failure: got.append(failure.value))
    return got


class TestAsking:
    """Our own requests."""

    def test_result(self, iqs: Iqs, clock: Clock) -> None:
        """The answer's payload comes, once; nothing is left to time out."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        assert (stanza.to, stanza.from_, stanza.type) == (JULIET, HOST, "get")
        got = answered(waiting)
        reply = stanza.reply("result", E("{urn:x}pong"))
        assert iqs.take_answer(reply)
        assert got == [E("{urn:x}pong")]
        assert not iqs.take_answer(reply)
        assert clock.getDelayedCalls() == []

    def test_empty_result(self, iqs: Iqs) -> None:
        """8.2.3: a result may be empty."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        got = answered(waiting)
        iqs.take_answer(stanza.reply("result"))
        assert got == [None]

    def test_error(self, iqs: Iqs) -> None:
        """An error is raised as what it says."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        got = answered(waiting)
        iqs.take_answer(stanza.error(ItemNotFound("none")))
        assert type(got[0]) is ItemNotFound
        assert got[0].text == "none"

    def test_error_that_says_nothing(self, iqs: Iqs) -> None:
        """An error without a condition is still one."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        got = answered(waiting)
        iqs.take_answer(stanza.reply("error"))
        assert type(got[0]) is UndefinedCondition

    @pytest.mark.parametrize("other", [NURSE, JULIET.bare, Jid("juliet@capulet.example/chamber"), HOST])
    def test_only_who_was_asked(self, iqs: Iqs, other: Jid) -> None:
        """Architecture rule 11: whoever guesses an id answers for nobody else."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        got = answered(waiting)
        assert not iqs.take_answer(stanza.reply("result", from_=other))
        assert got == []
        assert iqs.take_answer(stanza.reply("result"))

    def test_unknown_id(self, iqs: Iqs) -> None:
        """An answer to what was not asked is nothing."""
        assert not iqs.take_answer(Stanza.build("iq", to=HOST, from_=JULIET, type="result", id="x"))
        assert not iqs.take_answer(Stanza.build("iq", to=HOST, from_=JULIET, type="result"))

    def test_no_answer(self, iqs: Iqs, clock: Clock) -> None:
        """Who does not answer in time has timed out; a late answer is nothing."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"), timeout=10)
        got = answered(waiting)
        clock.advance(9.9)
        assert got == []
        clock.advance(0.1)
        assert type(got[0]) is RemoteServerTimeout
        assert not iqs.take_answer(stanza.reply("result"))

    def test_given_up(self, iqs: Iqs, clock: Clock) -> None:
        """Who asked may lose interest; neither the answer nor the time that is up harms then."""
        stanza, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        got = answered(waiting)
        waiting.cancel()
        assert len(got) == 1
        assert iqs.take_answer(stanza.reply("result"))
        _, waiting = iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))
        answered(waiting)
        waiting.cancel()
        clock.advance(60)

    def test_ids_differ(self, iqs: Iqs) -> None:
        """Each request has its own id."""
        ids = {iqs.ask(HOST, JULIET, "get", E("{urn:x}ping"))[0].id for _ in range(100)}
        assert len(ids) == 100


def test_whose_request_it_is() -> None:
    """An account asks itself from any of its resources."""
    assert request("get", "x", JULIET.bare).is_own
    assert not request("get", "x", JULIET.bare, NURSE).is_own
    assert not request("get", "x", HOST).is_own
