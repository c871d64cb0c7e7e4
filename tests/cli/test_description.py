"""What the command line is told of commands."""

import msgspec
import pytest

from xmppd.admin.nouns import declared
from xmppd.cli.description import read_descriptions
from xmppd.core.kinds import Kind


def test_declarations_can_be_read() -> None:
    """What the code declares is what the command line reads."""
    described = {tuple(found.words): found for found in read_descriptions([one.describe() for one in declared()])}
    add = described["account", "add"]
    assert add.offline
    assert not add.danger
    assert [(parameter.name, parameter.kind) for parameter in add.parameters] == [
        ("jid", Kind.JID), ("password", Kind.SECRET), ("role", Kind.CHOICE),
    ]  # fmt: skip


def test_nonsense_is_refused() -> None:
    """A server that says something else is not understood."""
    with pytest.raises(msgspec.ValidationError):
        read_descriptions([{"words": "account add"}])
