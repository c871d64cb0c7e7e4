"""XEP-0494: Client Access Management."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.sasl2 import (
    BIND,
    LAPTOP,
    by_password,
    by_token,
    failed,
    request_token,
    succeeded,
    token_in,
    user_agent,
)
from tests.scenario.server import Server
from tests.scenario.xml import show
from xmppd.core.client_identity import CLIENT
from xmppd.core.commands import CommandError, Done, Table
from xmppd.core.credentials import derive_all
from xmppd.core.events import BindInline
from xmppd.core.hooks import collect
from xmppd.protocol.jid import Jid

HOST = "capulet.example"
JULIET = Jid.parse(f"juliet@{HOST}")
CAM = "{urn:xmpp:cam:0}"
LIST = "<iq id='list' type='get'><list xmlns='urn:xmpp:cam:0'/></iq>"


def enters(server: Server, text: str) -> tuple[Client, ET.Element]:
    """Log in by one element; return the client and the success."""
    server.account(JULIET)
    client = server.connection()
    client.opens(HOST)
    client.sends(text)
    return client, succeeded(client)


def phone(server: Server) -> tuple[Client, str]:
    """Return Juliet's phone, which has logged in by its password, and its token."""
    client, success = enters(server, by_password("juliet", user_agent(), BIND, request_token()))
    return client, token_in(success)


def listed(client: Client) -> dict[str, ET.Element]:
    """Return the clients that are listed, by what they call themselves."""
    client.forgets()
    client.sends(LIST)
    answer = client.receives_any()
    assert answer.get("type") == "result", show(answer)
    found = answer.find(f"{CAM}clients")
    assert found is not None
    return {each.findtext(f"{CAM}user-agent/{CAM}device") or "": each for each in found}


def auth(element: ET.Element) -> set[str]:
    return {each.tag.removeprefix(CAM) for each in element.findall(f"{CAM}auth/*")}


def revoke(id: str) -> str:
    return f"<iq id='revoke' type='set'><revoke xmlns='urn:xmpp:cam:0' id='{id}'/></iq>"


def another_password(server: Server) -> None:
    server.wait(server.node.accounts.set_credentials(JULIET, derive_all("another", 1)))


class TestList:
    """Listing clients."""

    def test_a_client_with_a_token(self, server: Server) -> None:
        """What it says of itself, when it came, and by what it can come again."""
        client, _ = phone(server)
        client.sends(LIST)
        client.receives("""
            <iq id='list' type='result' to='{any}' from='{any}'>
              <clients xmlns='urn:xmpp:cam:0'>
                <client connected='true' id='{id}' type='session'>
                  <first-seen>2010-05-31T12:00:00Z</first-seen><last-seen>2010-05-31T12:00:00Z</last-seen>
                  <auth><password/><fast/></auth>
                  <permission status='unrestricted'/>
                  <user-agent><software>AwesomeXMPP</software><device>Kiva's Phone</device></user-agent>
                </client>
              </clients>
            </iq>""")

    def test_one_that_has_left(self, server: Server) -> None:
        """It was seen until then; it is not connected."""
        client, _ = phone(server)
        server.advance(60)
        client.disconnects()
        server.advance(60)
        laptop, _ = enters(server, by_password("juliet", user_agent(LAPTOP, device="laptop"), BIND))
        found = listed(laptop)
        assert found["Kiva's Phone"].get("connected") == "false"
        assert found["Kiva's Phone"].findtext(f"{CAM}last-seen") == "2010-05-31T12:01:00Z"
        assert found["laptop"].findtext(f"{CAM}last-seen") == "2010-05-31T12:02:00Z"

    def test_another_password(self, server: Server) -> None:
        """It takes away what a client knew, and its token with it."""
        phone(server)
        another_password(server)
        text = by_password("juliet", user_agent(LAPTOP, device="laptop"), BIND, request_token(), password="another")
        laptop, _ = enters(server, text)
        found = listed(laptop)
        assert auth(found["laptop"]) == {"password", "fast"}
        assert auth(found["Kiva's Phone"]) == set()

    def test_clients_that_do_not_tell(self, server: Server) -> None:
        """Whoever logs in the old way is listed while it is connected; it has a password, as far as anybody knows."""
        old = server.connect(f"{JULIET}/balcony")
        (element,) = listed(old).values()
        assert auth(element) == {"password"}
        assert element.get("connected") == "true"
        assert element.find(f"{CAM}user-agent") is None
        other = server.connect(f"{JULIET}/chamber")
        assert len({each.get("id") for each in server_list(server)}) == 2
        old.disconnects()
        other.forgets()
        assert len(server_list(server)) == 1

    def test_nobody_else_sees_it(self, server: Server) -> None:
        """Security Considerations: not even whether there is something to see."""
        phone(server)
        romeo = server.connect("romeo@montague.example/orchard")
        romeo.sends(LIST.replace("type='get'", f"type='get' to='{JULIET}'"))
        romeo.receives_error("service-unavailable")

    def test_what_clients_call_themselves_need_not_be_kept(self) -> None:
        """Privacy Considerations: a deployment chooses what is kept."""
        server = Server(modules={"client_access": {"descriptions": False}})
        client, _ = phone(server)
        assert list(listed(client)) == [""]

    def test_accounts_that_are_gone(self, server: Server) -> None:
        """Nothing of the one that is gone is shown to the new one."""
        phone(server)
        server.wait(server.node.accounts.delete(JULIET))
        server.run()
        client = server.connect(f"{JULIET}/balcony")
        assert list(listed(client)) == [""]

    def test_without_tokens(self, server: Server) -> None:
        """The list does without the module that gives them."""
        server.wait(server.node.loader.unload("fast"))
        client, token = phone(server)
        assert not token
        assert auth(listed(client)["Kiva's Phone"]) == {"password"}


def server_list(server: Server) -> list[dict[str, Any]]:
    """Return what an administrator sees of Juliet's clients."""
    table = run(server, "device list", jid=JULIET)
    assert isinstance(table, Table)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def run(server: Server, words: str, **given: object) -> Any:
    command = server.node.registry.find(words.split())
    return server.wait(command.function(**command.convert(given)))


class TestRevoke:
    """Revoking access."""

    def test_a_client_that_knows_the_password(self, server: Server) -> None:
        """Only another password keeps it out: so it says, and nothing has changed."""
        client, token = phone(server)
        client.sends(revoke(listed(client)["Kiva's Phone"].attrib["id"]))
        error = client.receives_error("service-unavailable", "cancel", "revoke")
        assert error.find(f"{{jabber:client}}error/{CAM}password-reset-required") is not None
        client.disconnects()
        enters(server, by_token("juliet", token, user_agent()))

    def test_a_client_that_has_a_token(self, server: Server) -> None:
        """Its token is good no more, its session ends, and it is listed no longer."""
        lost, _ = phone(server)
        another_password(server)
        laptop, _ = enters(server, by_password("juliet", user_agent(LAPTOP, device="laptop"), BIND, password="another"))
        laptop.sends(revoke(listed(laptop)["Kiva's Phone"].attrib["id"]))
        laptop.receives(f"<iq id='revoke' type='result' to='{laptop.jid}' from='{JULIET}'/>")
        lost.receives_stream_error("not-authorized")
        assert list(listed(laptop)) == ["laptop"]

    def test_oneself(self, server: Server) -> None:
        """The answer comes before the end."""
        client, _ = phone(server)
        another_password(server)
        client.sends(revoke(listed(client)["Kiva's Phone"].attrib["id"]))
        assert client.receives_any().get("type") == "result"
        client.receives_stream_error("not-authorized")

    def test_a_client_that_is_about_to_log_in(self, server: Server) -> None:
        """Its access is revoked between its authentication and its session: it has none, until it comes anew."""

        class Revokes:
            @collect(BindInline)
            async def revoke(self, event: BindInline) -> None:
                await server.node.loader.loaded["client_access"]._revoke(JULIET, event.session[CLIENT])

        server.node.hooks.bind("revokes", Revokes())
        client, _ = phone(server)
        client.receives_stream_error("not-authorized")
        server.node.hooks.unbind("revokes")
        server.advance(1)
        again, _ = phone(server)
        again.receives_nothing()

    def test_what_is_no_longer_stored(self, server: Server) -> None:
        """Security Considerations: the list is accurate, whatever became of the client's description."""
        client, _ = phone(server)
        store = server.node.loader.loaded["client_access"]._store
        server.wait(store.forget(JULIET))
        (row,) = server_list(server)
        assert (row["connected"], row["auth"]) == (True, "password, fast")
        client.disconnects()
        (row,) = server_list(server)
        assert (row["connected"], row["auth"]) == (False, "fast")
        run(server, "device revoke", jid=JULIET, id=row["id"])
        assert server_list(server) == []

    @pytest.mark.parametrize(("id", "condition"), [("unknown", "item-not-found"), ("", "bad-request")])
    def test_nobody(self, server: Server, id: str, condition: str) -> None:
        """There is no such client."""
        client, _ = phone(server)
        client.sends(revoke(id))
        client.receives_error(condition)


class TestCommands:
    """What administrators see and do."""

    def test_the_list(self, server: Server) -> None:
        """The same clients as the account's owner sees."""
        phone(server)
        (row,) = server_list(server)
        assert (row["software"], row["device"]) == ("AwesomeXMPP", "Kiva's Phone")
        assert (row["connected"], row["auth"]) == (True, "password, fast")

    def test_revocation(self, server: Server) -> None:
        """The token goes and the session ends, whatever the client knows; but that is told."""
        client, token = phone(server)
        done = run(server, "device revoke", jid=JULIET, id=server_list(server)[0]["id"])
        assert isinstance(done, Done)
        assert "set another one" in done.text
        assert done.values["sessions"] == 1
        client.receives_stream_error("not-authorized")
        again = server.connection()
        again.opens(HOST)
        again.sends(by_token("juliet", token, user_agent()))
        assert failed(again) == "not-authorized"
        assert server_list(server) == []

    def test_mistakes(self, server: Server) -> None:
        """An account or a client that does not exist."""
        phone(server)
        for given in ({"jid": f"nobody@{HOST}", "id": "x"}, {"jid": JULIET, "id": "x"}):
            with pytest.raises(CommandError):
                run(server, "device revoke", **given)
        with pytest.raises(CommandError):
            run(server, "device list", jid=f"nobody@{HOST}")
