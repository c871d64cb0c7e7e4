"""`host`: the virtual hosts."""

from .office import Office


def test_list(office: Office) -> None:
    """Each host is shown with its accounts and sessions."""
    office.server.connect("romeo@montague.example/orchard")
    office.server.account("benvolio@montague.example")
    rows = office.rows("host list")
    assert rows[0] == ["montague.example", 2, 1, [], False]
    assert rows[1] == ["capulet.example", 0, 0, [], False]
