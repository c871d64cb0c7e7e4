"""Messages as in `msg`, with stream management on both sides (XEP-0198): both ask, and both answer."""

from typing import Any

from ..connection import Connection
from ..job import Job
from ..negotiation import managed
from ..stage import Stage
from ..stanzas import ACKNOWLEDGEMENT_REQUEST, Counter, acknowledgement
from .messages import Flow, exchange
from .pairs import bring_pairs

EVERY = 10  # messages between two requests of the sender
REQUEST = b"<r "  # whatever attribute comes first
ANSWER = b"<a "


class ManagedFlow(Flow):
    """One pair: the sender asks behind every tenth message, and either side answers when the server asks."""

    __slots__ = ("_recipient", "_requests", "answers")

    def __init__(self, sender: Connection, to: bytes, recipient: Connection) -> None:
        super().__init__(sender, to, recipient)
        self._recipient = recipient
        self._requests = Counter(REQUEST), Counter(REQUEST)
        self.answers = Counter(ANSWER)
        sender.receive = self._told

    def _piece(self, number: int) -> bytes:
        piece = super()._piece(number)
        return piece + ACKNOWLEDGEMENT_REQUEST if number % EVERY == EVERY - 1 else piece

    def _received(self, data: bytes) -> None:
        super()._received(data)
        if self._requests[0].feed(data):
            self._recipient.send(acknowledgement(self.arrived.total))

    def _told(self, data: bytes) -> None:
        """Take what the server tells the sender, who is sent no stanza."""
        self.answers.feed(data)
        if self._requests[1].feed(data):
            self._sender.send(acknowledgement(0))


def smacks(stage: Stage, job: Job) -> dict[str, Any]:
    """Keep `job.window` messages in flight between each pair of managed streams; count what arrives."""
    pairs = bring_pairs(stage, job, managed)
    flows = [ManagedFlow(*pair) for pair in pairs.members]
    figures = exchange(stage, job, pairs, flows)
    return {**figures, "answers": sum(flow.answers.total for flow in flows)}
