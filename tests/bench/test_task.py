"""What a block of runs is about."""

from bench.plan import BLOCKS
from bench.task import Task


def test_every_task_has_a_block() -> None:
    """Nothing is set up in vain."""
    assert {block.task for block in BLOCKS} == set(Task)
