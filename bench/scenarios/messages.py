"""Messages to the bare JID, one direction, a fixed number in flight for each pair."""

import os
from collections.abc import Sequence
from typing import Any

from ..connection import Connection
from ..dialogue import NegotiationError
from ..job import Job
from ..stage import Stage
from ..stanzas import Counter, chat
from .pairs import Pairs, bring_pairs, dismiss_pairs

END_OF_BODY = b"</body>"


def run_id() -> bytes:
    """Return what ids of messages begin with: they differ from run to run, so no server may take them for repeats."""
    return os.urandom(4).hex().encode()


class Flow:
    """One pair: a message arrives, the next one leaves."""

    __slots__ = ("_run", "_sender", "_to", "arrived", "flowing", "sent")

    def __init__(self, sender: Connection, to: bytes, recipient: Connection) -> None:
        self._sender = sender
        self._to = to
        self._run = run_id()
        self.sent = 0
        self.flowing = True
        self.arrived = Counter(END_OF_BODY)
        recipient.receive = self._received

    def push(self, count: int) -> None:
        """Send so many messages in one piece."""
        first = self.sent
        self.sent += count
        self._sender.send(b"".join([self._piece(number) for number in range(first, self.sent)]))

    def _piece(self, number: int) -> bytes:
        """Return the message of that number."""
        return chat(self._to, b"%s-%d" % (self._run, number))

    def _received(self, data: bytes) -> None:
        count = self.arrived.feed(data)
        if count and self.flowing:
            self.push(count)


def messages(stage: Stage, job: Job) -> dict[str, Any]:
    """Keep `job.window` messages in flight between each pair; count what arrives."""
    pairs = bring_pairs(stage, job)
    return exchange(stage, job, pairs, [Flow(*pair) for pair in pairs.members])


def exchange(stage: Stage, job: Job, pairs: Pairs, flows: Sequence[Flow]) -> dict[str, Any]:
    """Let the messages flow, measure for a while, and send the pairs away."""
    stage.calm()
    for flow in flows:
        flow.push(job.window)
    stage.loop.run(job.warmup)
    arrived, before = _arrived(flows), stage.meter.read()
    stage.loop.run(job.seconds)
    usage, count = before.until(stage.meter.read()), _arrived(flows) - arrived
    lost = _drain(stage, flows)
    stage.unharmed()
    dismiss_pairs(stage, pairs)
    if not count:
        raise NegotiationError("no message arrived")
    return {
        **usage.figures(),
        "unit": "message",
        "units": count,
        "lost": lost,
        **usage.cost(count),
        "generator_us": usage.generator * 1e6 / count,
        "per_s": count / usage.wall,
    }


def _arrived(flows: Sequence[Flow]) -> int:
    return sum(flow.arrived.total for flow in flows)


def _drain(stage: Stage, flows: Sequence[Flow]) -> int:
    """Stop sending, wait for what is on its way; return how much never came."""
    for flow in flows:
        flow.flowing = False
    sent = sum(flow.sent for flow in flows)
    stage.loop.until(lambda: _arrived(flows) >= sent or stage.loop.lost > 0, 20.0)
    return sent - _arrived(flows)
