"""What a server is asked to do in one block of runs."""

from enum import Enum


class Task(Enum):
    """What a block is about; servers are compared in those tasks that they are set up for.

    `RELAY`: pass things on; no message is kept. `STORE`: keep every message, for the archives of both sides and for
    whoever is away. `RETURN`: let in clients that have been there before (XEP-0388, XEP-0386, XEP-0484).
    """

    RELAY = "relay"
    STORE = "store"
    RETURN = "return"
