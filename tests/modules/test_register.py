"""XEP-0077: In-Band Registration."""

import pytest

from tests.scenario.server import Server


@pytest.fixture
def open_server() -> Server:
    """A server at which anybody may register."""
    return Server(modules={"register": {"enabled": True}})


ASK = "<iq type='get' id='reg1'><query xmlns='jabber:iq:register'/></iq>"
BILL = (
    "<iq type='set' id='reg2'><query xmlns='jabber:iq:register'>"
    "<username>bill</username><password>Calliope1</password></query></iq>"
)


def test_registration(open_server: Server) -> None:
    """Entity Registers with a Host: ask for the fields, send them, log in."""
    bill = open_server.connection()
    features = bill.opens("shakespeare.example")
    assert features.find("{http://jabber.org/features/iq-register}register") is not None
    bill.sends(ASK)
    bill.receives(
        "<iq type='result' id='reg1'><query xmlns='jabber:iq:register'><instructions>{any}</instructions>"
        "<username/><password/></query></iq>"
    )
    bill.sends(BILL)
    bill.receives("<iq type='result' id='reg2'/>")
    assert bill.authenticates("bill", "Calliope1").tag.endswith("success")


def test_name_that_is_taken(open_server: Server) -> None:
    """Entity Registers with a Host: the name exists already."""
    open_server.account("bill@shakespeare.example")
    bill = open_server.connection()
    bill.opens("shakespeare.example")
    bill.sends(BILL)
    bill.receives_error("conflict", id="reg2")


@pytest.mark.parametrize("inner", ["<username>bill</username>", "<password>Calliope1</password>", "<username>a b</username>"
                                   "<password>Calliope1</password>", "<username>bill</username><password>x</password>"])
def test_missing_or_bad_fields(open_server: Server, inner: str) -> None:
    """Entity Registers with a Host: required information is missing or not acceptable."""
    bill = open_server.connection()
    bill.opens("shakespeare.example")
    bill.sends(f"<iq type='set' id='reg2'><query xmlns='jabber:iq:register'>{inner}</query></iq>")
    bill.receives_error("not-acceptable", id="reg2")


def test_off_by_default(server: Server) -> None:
    """Registration is not offered, and refused, unless the configuration turns it on."""
    bill = server.connection()
    features = bill.opens("shakespeare.example")
    assert features.find("{http://jabber.org/features/iq-register}register") is None
    bill.sends(BILL)
    bill.receives_error("not-allowed", id="reg2")


def test_limit_per_address(open_server: Server) -> None:
    """Security Considerations: one address registers a few accounts in a period, and more in the next one."""
    def register(name: str, address: str) -> object:
        client = open_server.connection(peer_address=address)
        client.opens("shakespeare.example")
        client.sends(BILL.replace("bill", name))
        return client

    for name in ("a", "b", "c"):
        register(name, "192.0.2.7").receives("<iq type='result' id='reg2'/>")  # type: ignore[attr-defined]
    register("d", "192.0.2.7").receives_error("resource-constraint")  # type: ignore[attr-defined]
    register("e", "192.0.2.8").receives("<iq type='result' id='reg2'/>")  # type: ignore[attr-defined]
    open_server.advance(minutes=61)
    register("d", "192.0.2.7").receives("<iq type='result' id='reg2'/>")  # type: ignore[attr-defined]


def test_password_change(server: Server) -> None:
    """User Requests a Change of Password: the new one works, the old one no longer."""
    bill = server.connect("bill@shakespeare.example/globe")
    bill.sends(
        "<iq type='set' to='shakespeare.example' id='change1'><query xmlns='jabber:iq:register'>"
        "<username>bill</username><password>newpass99</password></query></iq>"
    )
    bill.receives("<iq type='result' from='shakespeare.example' to='bill@shakespeare.example/globe' id='change1'/>")
    again = server.connection()
    again.opens("shakespeare.example")
    assert again.authenticates("bill", "pencil").tag.endswith("failure")
    assert again.authenticates("bill", "newpass99").tag.endswith("success")


def test_password_of_another(server: Server) -> None:
    """User Requests a Change of Password: nobody changes another's."""
    server.account("will@shakespeare.example")
    bill = server.connect("bill@shakespeare.example/globe")
    bill.sends(
        "<iq type='set' to='shakespeare.example' id='change1'><query xmlns='jabber:iq:register'>"
        "<username>will</username><password>newpass99</password></query></iq>"
    )
    bill.receives_error("not-allowed", id="change1")


def test_registered(server: Server) -> None:
    """Entity Registers with a Host: a registered entity is told so."""
    bill = server.connect("bill@shakespeare.example/globe")
    bill.sends("<iq type='get' to='shakespeare.example' id='reg1'><query xmlns='jabber:iq:register'/></iq>")
    bill.receives(
        "<iq type='result' from='shakespeare.example' to='bill@shakespeare.example/globe' id='reg1'>"
        "<query xmlns='jabber:iq:register'><registered/><username>bill</username><password/></query></iq>"
    )


def test_cancellation(server: Server) -> None:
    """Entity Cancels an Existing Registration: the result, then the end of every session."""
    bill = server.connect("bill@shakespeare.example/globe")
    home = server.connect("bill@shakespeare.example/home")
    bill.sends(
        "<iq type='set' to='shakespeare.example' id='unreg1'><query xmlns='jabber:iq:register'><remove/></query></iq>"
    )
    bill.receives("<iq type='result' from='shakespeare.example' to='bill@shakespeare.example/globe' id='unreg1'/>")
    bill.receives_stream_error("not-authorized")
    home.receives_stream_error("not-authorized")
    again = server.connection()
    again.opens("shakespeare.example")
    assert again.authenticates("bill", "pencil").tag.endswith("failure")


def test_host_of_another_domain(server: Server) -> None:
    """A user of one host has nothing to change at another."""
    bill = server.connect("bill@shakespeare.example/globe")
    bill.sends("<iq type='set' to='capulet.example' id='x'><query xmlns='jabber:iq:register'><remove/></query></iq>")
    bill.receives_error("forbidden", id="x")
