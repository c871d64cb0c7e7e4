"""One client of an account is told from the others, and by nobody else."""

from xmppd.core.client_identity import client_of, identifier_of
from xmppd.protocol.jid import Jid

SECRET = b"a secret of the tests"
JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
PHONE = "d4565fa7-4d72-4749-b3d3-740edbf87770"
LAPTOP = "4d724749-d456-4fa7-b3d3-740edbf87770"


def test_the_same_each_time() -> None:
    """XEP-0386, Resource identifier generation: it should be stable for the same client."""
    assert client_of(SECRET, JULIET, PHONE) == client_of(SECRET, JULIET, PHONE)
    assert identifier_of(SECRET, JULIET, PHONE) == identifier_of(SECRET, JULIET, PHONE)


def test_every_name_is_another() -> None:
    """No two clients, accounts or servers share a name, nor do the two purposes; none tells what the client said."""
    names = [
        make(secret, account, agent)
        for make in (client_of, identifier_of)
        for secret in (SECRET, b"another secret")
        for account in (JULIET, ROMEO)
        for agent in (PHONE, LAPTOP)
    ]
    assert len(set(names)) == len(names)
    assert not any(part in name for name in names for part in PHONE.split("-"))
    assert {len(name) for name in names} == {12}


def test_clients_without_a_name() -> None:
    """They are not known, and their resource is one that nobody can guess."""
    assert client_of(SECRET, JULIET, None) == ""
    assert identifier_of(SECRET, JULIET, None) != identifier_of(SECRET, JULIET, None)
