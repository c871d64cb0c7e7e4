"""What one run of the generator is told to do."""

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario against one server.

    :ivar scenario: a name of `bench.scenarios.SCENARIOS`.
    :ivar pid: the server's process; its descendants are counted too.
    :ivar database: the process of the database that serves nobody else; counted by itself, with its descendants.
    :ivar sessions: how many sessions `login` and its kin, `idle`, `register` and `verify` are about.
    :ivar friends: how many accounts have rosters: `register`, `verify`, `roster` and `presence`.
    :ivar pairs: senders, each with one recipient, of `msg`, `smacks` and `latency`.
    :ivar window: messages in flight for each pair of `msg` and `smacks`.
    :ivar background: idle sessions online besides.
    :ivar warmup: seconds before the measurement begins.
    :ivar seconds: how long it lasts.
    :ivar rate: messages per second of `latency`, over all pairs.
    :ivar contacts: mutual contacts of each user of `roster` and `presence`.
    :ivar turns: how often every user of `presence` changes presence.
    :ivar settle: seconds between the last login of `idle` and the reading.
    :ivar away: recipients of `offline`.
    :ivar messages: how many `offline` sends in all, and how many `mam` finds in the archive.
    :ivar page: results that `mam` asks for at once.
    :ivar salts: the file that keeps salted passwords between runs.
    """

    scenario: str
    port: int
    pid: int | None = None
    database: int | None = None
    host: str = "127.0.0.1"
    domain: str = "localhost"
    tls: bool = False
    mechanism: str = "SCRAM-SHA-1"
    sessions: int = 1000
    friends: int = 0
    pairs: int = 50
    window: int = 20
    background: int = 0
    warmup: float = 1.5
    seconds: float = 5.0
    rate: float = 500.0
    contacts: int = 50
    turns: int = 6
    settle: float = 8.0
    away: int = 100
    messages: int = 2000
    page: int = 50
    salts: str | None = None

    def dump(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def load(cls, line: str) -> "Job":
        """Read what `dump` wrote; an unknown key is a TypeError."""
        return cls(**json.loads(line))
