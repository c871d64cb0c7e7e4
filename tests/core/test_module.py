"""The base of all modules declares nothing and does nothing."""

from dataclasses import dataclass
from typing import ClassVar

from xmppd.core.drive import drive
from xmppd.core.module import Module, Xep


@dataclass(slots=True)
class Plain(Module):
    name: ClassVar = "plain"


def test_defaults() -> None:
    """A module that says nothing but its name has no features, offers nothing, and starts and stops at once."""
    module = Plain()
    assert (module.xeps, module.features, module.account_features, module.identities) == ((), (), (), ())
    assert module.offers() == {}
    assert drive(module.start()) is None
    assert drive(module.stop()) is None


def test_slots() -> None:
    """A module has the fields that it declares and no others, so that a misspelt one is a mistake at once."""
    assert not hasattr(Plain(), "__dict__")


def test_xep() -> None:
    """A specification is complete unless something is left out."""
    assert Xep(199, "2.0.1").leaves_out == ""
