"""The accounts, and who is whose contact."""

import pytest

from bench.scenarios.names import contacts_of, friends, users


@pytest.mark.parametrize(("count", "contacts"), [(100, 50), (20, 10), (7, 4)])
def test_friendship_is_mutual(count: int, contacts: int) -> None:
    """Whoever is on a roster has that roster's owner on their own; nobody befriends themselves or twice."""
    rosters = [contacts_of(index, count, contacts) for index in range(count)]
    for index, roster in enumerate(rosters):
        assert len(set(roster)) == contacts
        assert index not in roster
        assert all(index in rosters[contact] for contact in roster)


def test_a_column_of_the_rosters_is_a_permutation() -> None:
    """In each step of `roster` everybody asks one contact and is asked by one."""
    rosters = [contacts_of(index, 20, 10) for index in range(20)]
    for column in zip(*rosters, strict=True):
        assert sorted(column) == list(range(20))


def test_names_do_not_overlap() -> None:
    """Background sessions are other accounts than the pairs."""
    assert users(2, first=3) == [b"user3", b"user4"]
    assert not set(users(50)) & set(friends(50))
