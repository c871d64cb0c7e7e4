"""What is counted, and how counts are waited for."""

import asyncio

from .ledger import Delivery, Ledger

ROMEO, JULIET = "romeo@capulet.example", "juliet@capulet.example"


async def test_counts_are_waited_for() -> None:
    """Who waits goes on with the event that makes up the number, and not before."""
    ledger = Ledger()
    waiting = asyncio.ensure_future(ledger.reaches("sent", 2))
    await asyncio.sleep(0)
    ledger.send(ROMEO, JULIET, 1)
    await asyncio.sleep(0)
    assert not waiting.done()
    ledger.send(ROMEO, JULIET, 2)
    await waiting
    await ledger.comes_to("sent", 2)


async def test_answers_are_waited_for() -> None:
    """An acknowledgement is an answer, and so is an error."""
    ledger = Ledger()
    for number, answer in enumerate((ledger.acknowledge, lambda message: ledger.refuse(message.name))):
        message = ledger.send(ROMEO, JULIET, number)
        waiting = asyncio.ensure_future(ledger.answers(message))
        await asyncio.sleep(0)
        assert not waiting.done()
        answer(message)
        await waiting


async def test_all_that_is_owed() -> None:
    """What was acknowledged is owed until it has come, in whatever order that is heard of."""
    ledger = Ledger()
    first, second = ledger.send(ROMEO, JULIET, 1), ledger.send(ROMEO, JULIET, 2)
    ledger.deliver(JULIET, Delivery(first.name, "11", is_late=False))
    ledger.acknowledge(first)
    ledger.acknowledge(second)
    assert ledger.owed == {second.name}
    waiting = asyncio.ensure_future(ledger.is_paid())
    await asyncio.sleep(0)
    ledger.deliver(JULIET, Delivery(second.name, "12", is_late=True))
    await waiting
    assert ledger.acknowledged() == [first, second]
