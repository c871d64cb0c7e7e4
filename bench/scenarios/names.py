"""The accounts of the benchmark: `user0`... for sessions and messages, `friend0`... who have rosters."""

SENDERS = 10  # who write to those who are away


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


def senders() -> list[bytes]:
    """Return the localparts of those who write to the ones who are away."""
    return users(SENDERS)


def away(count: int) -> list[bytes]:
    """Return the localparts of those who are away."""
    return users(count, first=SENDERS)


def archivists(count: int) -> list[bytes]:
    """Return the localparts of two who write to nobody else; `count` are away."""
    return users(2, first=SENDERS + count)
