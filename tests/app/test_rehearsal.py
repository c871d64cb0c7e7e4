"""A rehearsal does what the server would do, to nobody."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from tests.scenario.server import Server
from xmppd.app.rehearsal import rehearse
from xmppd.core.accounts import Role
from xmppd.core.commands import command
from xmppd.core.events import OutboundMessage
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.core.iq import Iqs
from xmppd.core.module import Module
from xmppd.core.router import Router
from xmppd.core.trace import Step
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import COMMANDS
from xmppd.protocol.stanza import Stanza

ROMEO = Jid("romeo@montague.example/orchard")
JULIET = Jid("juliet@capulet.example/balcony")


def played(server: Server, stanza: Stanza) -> list[Step]:
    return list(server.wait(rehearse(server.node, stanza)))


def outcomes(server: Server, stanza: Stanza) -> list[str]:
    return [step.outcome for step in played(server, stanza)]


def message(to: Jid | None, from_: Jid = ROMEO) -> Stanza:
    return Stanza.build("message", E("{jabber:client}body", "Adieu."), to=to, from_=from_, type="chat")


def test_nothing_reaches_anybody(server: Server) -> None:
    """What would be delivered is told; clients, sessions and accounts are as they were."""
    romeo, juliet = server.online(ROMEO), server.online(JULIET)
    found = outcomes(server, message(JULIET.bare))
    assert any(one.startswith(f"delivers to {JULIET}: <message") for one in found)
    assert not any("is not connected" in one for one in found)
    found = outcomes(server, Stanza.build("presence", to=None, from_=ROMEO, type="unavailable"))
    assert any(one.startswith(f"routes presence unavailable of {ROMEO}") for one in found)
    session = server.node.sessions.at(ROMEO)
    assert session is not None and session.is_available
    romeo.receives_nothing()
    juliet.receives_nothing()


def test_whoever_is_not_connected(server: Server) -> None:
    """Is taken for somebody who has just logged in; no session stays."""
    server.account(ROMEO)
    assert outcomes(server, message(None))[0].startswith(f"{ROMEO} is not connected")
    assert server.node.sessions.at(ROMEO) is None


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("capulet.example", "capulet.example, this server itself"),
        ("a@verona.example", "a@verona.example, on another server"),
        ("nobody@capulet.example", "nobody@capulet.example: there is no such account"),
        (JULIET, f"{JULIET}, which is connected"),
        (f"{JULIET.bare}/tomb", f"{JULIET.bare}/tomb, which is not connected"),
    ],
)
def test_where_it_goes(server: Server, to: str, place: str) -> None:
    """The router says who the addressee is."""
    server.online(ROMEO)
    server.online(JULIET)
    assert f"routes message chat of {ROMEO} to {place}" in outcomes(server, message(Jid.parse(to)))


def test_an_error_that_is_not_told(server: Server) -> None:
    """Presence that cannot be taken: the sender hears nothing, who explains does."""
    error = Stanza.build("message", to=Jid("a@verona.example"), from_=ROMEO, type="error")
    server.online(ROMEO)
    assert outcomes(server, error)[-1].endswith(f"of which {ROMEO} is not told")


def test_other_servers_are_left_alone(server: Server) -> None:
    """A federated server would send it; nothing is sent."""
    sent: list[Stanza] = []

    class Remote:
        async def send(self, stanza: Stanza) -> None:
            sent.append(stanza)

    server.node.router.remote = Remote()
    found = outcomes(server, message(Jid("a@verona.example")))
    assert any("on another server" in outcome for outcome in found)
    assert sent == []


class Noun:
    ran = 0

    @command("bell ring")
    async def ring(self) -> None:
        """Ring the bell."""
        self.ran += 1


def test_commands_are_not_run(server: Server) -> None:
    """An ad-hoc command of an administrator is told by its name."""
    server.account(ROMEO, Role.ADMIN)
    for host in server.node.hosts.all():
        host.admins = frozenset({ROMEO.bare})
    noun = Noun()
    server.node.registry.register("tests", noun)
    ring = E(f"{{{COMMANDS}}}command", node="xmppd/bell-ring", action="execute")
    found = outcomes(server, Stanza.build("iq", ring, to=Jid("montague.example"), from_=ROMEO, type="set", id="1"))
    assert any("runs the command bell ring" in one and "here it is not run" in one for one in found)
    assert noun.ran == 0


@dataclass
class Loner(Module):
    """Does more than the core knows of."""

    name: ClassVar = "loner"
    rehearses: ClassVar = False
    started: ClassVar[list[int]] = []

    async def start(self) -> None:
        self.started.append(1)


@dataclass
class Fragile(Module):
    """Cannot be started twice."""

    name: ClassVar = "fragile"
    started: ClassVar[list[int]] = []

    async def start(self) -> None:
        if self.started:
            raise OSError("address in use")
        self.started.append(1)


@dataclass
class Asker(Module):
    """Asks the client before it decides, and does something later."""

    name: ClassVar = "asker"
    iqs: Iqs
    router: Router

    @on(OutboundMessage, Phase.GUARD)
    async def ask(self, event: OutboundMessage) -> Verdict | None:
        """Ask."""
        request, answer = self.iqs.ask(Jid("montague.example"), event.sender.jid, "get", E("{urn:xmpp:ping}ping"))
        await self.router.deliver(event.sender, request)
        await answer
        return None


def load(server: Server, cls: type[Module]) -> None:
    server.node.loader.known[cls.name] = cls
    server.wait(server.node.loader.load(cls.name))


def test_modules_that_take_no_part(server: Server) -> None:
    """Those that say so, and those that do not start again, are left out and named; the rest goes on."""
    for cls in (Loner, Fragile):
        cls.started.clear()  # type: ignore[attr-defined]
        load(server, cls)
    found = played(server, message(None))
    left_out = {step.who: step.outcome for step in found if step.outcome.startswith("takes no part")}
    assert set(left_out) == {"loner", "fragile"}
    assert "address in use" in left_out["fragile"]
    assert (Loner.started, Fragile.started) == ([1], [1])
    assert any(step.who == "messages.deliver" for step in found)


def test_nobody_is_waited_for(server: Server) -> None:
    """A module that asks a client goes on as if no answer had come."""
    load(server, Asker)
    client = server.online(ROMEO)
    found = {step.who: step.outcome for step in played(server, message(None))}
    assert found["asker.ask"] == "refuses: remote-server-timeout: nobody is asked"
    client.receives_nothing()
