"""The accounts of the benchmark: `user0`... for sessions and messages, `friend0`... who have rosters."""


def users(count: int, first: int = 0) -> list[bytes]:
    """Return the localparts of `count` users from `first` on."""
    return [b"user%d" % index for index in range(first, first + count)]


def friends(count: int) -> list[bytes]:
    """Return the localparts of those with rosters."""
    return [b"friend%d" % index for index in range(count)]


def contacts_of(index: int, count: int, contacts: int) -> list[int]:
    """Return who is on the roster of friend `index`: the nearest on a ring, so that friendship is mutual."""
    half = contacts // 2
    return [(index + step) % count for step in range(-half, half + 1) if step]
