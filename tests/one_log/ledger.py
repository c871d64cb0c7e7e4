"""What was said, and what its senders know of it."""

from dataclasses import dataclass, field


@dataclass(eq=False)
class Line:
    """One message that somebody means to say once.

    :ivar text: its body and its id, which no other line has.
    :ivar sender: a bare JID, as the recipient.
    :ivar has_origin_id: whether its sender gives it an `<origin-id/>` (XEP-0359).
    :ivar number: of its first transmission, among all that happens.
    :ivar transmissions: how often it was sent.
    :ivar confirmations: how many of these were acknowledged (XEP-0198).
    :ivar refusals: how many errors came.
    :ivar is_doubtful: its sender cannot know what became of a transmission: an error may have been lost.
    """

    text: str
    sender: str
    recipient: str
    has_origin_id: bool
    number: int = 0
    transmissions: int = 0
    confirmations: int = 0
    refusals: int = 0
    is_doubtful: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether its sender may rely on it."""
        return self.confirmations > self.refusals and not self.is_doubtful

    @property
    def is_refused(self) -> bool:
        """Whether its sender knows that it was not taken."""
        return self.refusals == self.transmissions > 0

    @property
    def was_sent_once(self) -> bool:
        return self.transmissions == 1


@dataclass
class Ledger:
    """All lines, by their text; and a count of everything that happens."""

    lines: dict[str, Line] = field(default_factory=dict)
    now: int = 0

    def next(self) -> int:
        """Count one more event; return its number."""
        self.now += 1
        return self.now

    def new(self, sender: str, recipient: str, *, has_origin_id: bool) -> Line:
        """Enter a line that nobody has said yet."""
        line = Line(f"line-{len(self.lines) + 1}", sender, recipient, has_origin_id)
        self.lines[line.text] = line
        return line
