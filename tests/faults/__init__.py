"""Faults: processes are killed, databases die, freeze and fill up, and nothing that was acknowledged is lost.

People with XEP-0198 send numbered messages to each other over TLS while real processes come to harm. A `Ledger` has what
each of them was told: what was acknowledged, refused, delivered. In the end the log is read twice, straight from the
database and as the archive (XEP-0313), and an audit compares it with the ledger. The rule is the architecture's first
promise: an acknowledged message is in the log exactly once, in its sender's order, and is delivered.

The moments of harm come from a seeded generator and are events (so many messages sent, acknowledged, delivered), never
times: a seed gives the same plan on any machine. `make test` runs a few of them, `make faults` many, with a report.
"""
