"""Listening to a method."""

from xmppd.core.seam import Seam


class Bell:
    def __init__(self) -> None:
        self.rung: list[str] = []

    def ring(self, how: str) -> str:
        self.rung.append(how)
        return f"rung {how}"


def test_listeners_hear_and_the_method_is_called() -> None:
    """Whoever listens has the arguments, whoever calls has the value."""
    bell = Bell()
    heard: list[str] = []
    seam = Seam(bell, "ring")
    seam.open(heard.append)
    assert bell.ring("twice") == "rung twice"
    assert (heard, bell.rung) == (["twice"], ["twice"])


def test_nothing_is_left_behind() -> None:
    """While nobody listens the object is as it was, so that nothing costs more than it did."""
    bell = Bell()
    seam = Seam(bell, "ring")
    assert "ring" not in vars(bell)
    one: list[str] = []
    other: list[str] = []
    seam.open(one.append)
    seam.open(other.append)
    seam.close(one.append)
    bell.ring("once")
    seam.close(other.append)
    assert "ring" not in vars(bell)
    bell.ring("again")
    assert (one, other, bell.rung) == ([], ["once"], ["once", "again"])


def test_objects_of_one_class_are_apart() -> None:
    """It is one object that is listened to, not its class."""
    bell, other = Bell(), Bell()
    heard: list[str] = []
    Seam(bell, "ring").open(heard.append)
    other.ring("elsewhere")
    assert heard == []
