"""`watch`: stanzas as they pass."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from tests.scenario.client import Client
from xmppd.admin.watch import MOST_WAITING, Direction, Filter, Kind, Watcher, covers
from xmppd.core.events import StanzaReceived
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .office import SOCKET, Office

ROMEO = "romeo@montague.example/orchard"
JULIET = "juliet@capulet.example/balcony"


class Watch:
    """A running `watch`, and what it has shown; `watch` ends it with its test."""

    def __init__(self, office: Office, **given: object) -> None:
        self.office = office
        self.rows: list[Any] = []
        self.failures: list[Any] = []
        command = office.registry.find(["watch"])
        work = office.administration.run(SOCKET, command, given, self._each)
        self.running = Deferred.fromCoroutine(work).addErrback(self.failures.append)

    async def _each(self, row: Any) -> None:
        self.rows.append(row)

    def seen(self) -> list[tuple[str, str, str, str]]:
        """Return direction, kind, sender and addressee of what was shown."""
        self.office.server.run()
        return [(row["direction"], row["kind"], row["from"], row["to"]) for row in self.rows]


@pytest.fixture
def watch(office: Office) -> Iterator[Callable[..., Watch]]:
    """Begin to watch."""
    begun: list[Watch] = []

    def begin(**given: object) -> Watch:
        begun.append(Watch(office, **given))
        return begun[-1]

    yield begin
    for one in begun:
        one.running.cancel()


@pytest.fixture
def romeo(office: Office) -> Client:
    client = office.server.online(ROMEO)
    office.server.online(JULIET)
    office.server.run()
    return client


def ping(client: Client) -> None:
    client.sends("<iq type='get' id='p1' to='montague.example'><ping xmlns='urn:xmpp:ping'/></iq>")
    client.receives_any()


def test_both_ends_of_a_stream(watch: Callable[..., Watch], romeo: Client) -> None:
    """What a client sends and what it is sent is shown, with names but without content."""
    shown = watch()
    ping(romeo)
    assert shown.seen() == [
        ("in", "iq", ROMEO, "montague.example"),
        ("out", "iq", "montague.example", ROMEO),
    ]
    assert shown.rows[0]["payloads"] == ["ping (urn:xmpp:ping)"]
    assert shown.rows[0]["time"] == "12:00:00.000"
    assert (shown.rows[1]["type"], shown.rows[1]["id"], shown.rows[1]["payloads"]) == ("result", "p1", [])


def test_nobody_watches_for_nothing(office: Office, watch: Callable[..., Watch], romeo: Client) -> None:
    """The pipeline is tapped as long as somebody watches, and not longer."""
    hooks = office.server.node.hooks
    assert hooks.tap is None
    first, second = watch(), watch()
    first.running.cancel()
    assert hooks.tap is not None
    ping(romeo)
    assert first.seen() == []
    assert len(second.seen()) == 2
    second.running.cancel()
    assert hooks.tap is None
    assert [failure.type for failure in first.failures] == [CancelledError]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"direction": "in"}, 1),
        ({"direction": "out"}, 1),
        ({"kind": "message"}, 0),
        ({"kind": "iq"}, 2),
        ({"jid": "montague.example"}, 2),
        ({"jid": "romeo@montague.example"}, 2),
        ({"jid": ROMEO}, 2),
        ({"jid": "romeo@montague.example/home"}, 0),
        ({"jid": JULIET}, 0),
    ],
)
def test_filter(watch: Callable[..., Watch], romeo: Client, given: dict[str, object], count: int) -> None:
    """A watcher sees the kinds, directions and addresses that it asked for."""
    shown = watch(**given)
    ping(romeo)
    assert len(shown.seen()) == count


def message(text: str = "Wherefore art thou?") -> Stanza:
    body = E("{jabber:client}body", text)
    return Stanza.build("message", body, to=Jid(ROMEO), from_=Jid(JULIET), type="chat")


def test_bodies_are_hidden_unless_asked_for(office: Office, watch: Callable[..., Watch], romeo: Client) -> None:
    """What people write is shown to those only who ask for it."""
    discreet, curious = watch(), watch(bodies=True)
    office.server.wait(office.server.node.router.deliver(office.server.node.sessions.at(Jid(ROMEO)), message()))
    office.server.run()
    assert discreet.rows[0]["payloads"] == ["body"]
    assert "Wherefore" not in str(discreet.rows)
    assert "<body>Wherefore art thou?</body>" in curious.rows[0]["xml"]


def test_passwords_are_always_hidden(office: Office, watch: Callable[..., Watch], romeo: Client) -> None:
    """Whoever asks for bodies does not ask for passwords."""
    curious = watch(bodies=True)
    romeo.sends(
        "<iq type='set' id='1' to='montague.example'>"
        "<query xmlns='jabber:iq:register'><username>romeo</username><password>quill</password></query></iq>"
    )
    office.server.run()
    assert "<username>romeo</username><password>***</password>" in curious.rows[0]["xml"]
    assert "quill" not in str(curious.rows)


def test_slow_watcher_loses_rows_and_is_told(office: Office, romeo: Client) -> None:
    """Rows for a watcher that does not read are bounded; it learns how many it has missed."""
    server = office.server
    session = server.node.sessions.at(Jid(ROMEO))
    assert session is not None
    watcher = Watcher(server.clock, Filter(), False)
    for _ in range(MOST_WAITING + 3):
        watcher.see(StanzaReceived(session, message()))
    rows = [server.wait(watcher.next()) for _ in range(MOST_WAITING + 1)]
    assert rows[-1] == {"dropped": 3}
    watcher.see(StanzaReceived(session, message()))
    assert server.wait(watcher.next())["kind"] == "message"


def test_covers() -> None:
    """A domain covers its accounts, an account its resources, a full address itself."""
    full = Jid(ROMEO)
    assert covers(Jid("montague.example"), full)
    assert covers(full.bare, full)
    assert covers(full, full)
    assert not covers(full, full.bare)
    assert not covers(Jid("capulet.example"), full)


def test_filter_by_session() -> None:
    """A stanza counts as a session's if the session sends or gets it, whatever its addresses say."""
    stanza = Stanza.build("presence", to=None, from_=Jid(JULIET))
    wanted = Filter(Jid(ROMEO), Kind.PRESENCE, Direction.OUT)
    assert wanted.passes(stanza, Direction.OUT, Jid(ROMEO))
    assert not wanted.passes(stanza, Direction.OUT, Jid(JULIET))
    assert not wanted.passes(stanza, Direction.IN, Jid(ROMEO))
