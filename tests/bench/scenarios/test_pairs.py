"""Pairs, and the crowd beside them."""

from dataclasses import replace
from typing import Any

from bench.scenarios.pairs import bring_pairs, dismiss_pairs

from .stage import JOB, Stage


def test_who_writes_to_whom() -> None:
    """The first half writes to the second; nobody is in two pairs."""
    stage: Any = Stage()
    pairs = bring_pairs(stage, JOB)
    found = [(sender.name, to, recipient.name) for sender, to, recipient in pairs.members]
    assert found == [(b"user0", b"user2@localhost", b"user2"), (b"user1", b"user3@localhost", b"user3")]
    assert pairs.crowd == []
    assert stage.said == ["bring 0 online", "bring 4 online"]


def test_the_crowd_comes_first_and_goes_last() -> None:
    """Its accounts are others; the pairs log in when the server is calm again."""
    stage: Any = Stage()
    pairs = bring_pairs(stage, replace(JOB, background=3))
    assert [wire.name for wire in pairs.crowd] == [b"user4", b"user5", b"user6"]
    assert stage.said == ["bring 3 online", "calm", "bring 4 online"]
    dismiss_pairs(stage, pairs)
    assert stage.said[3:] == ["dismiss 4", "dismiss 3"]
