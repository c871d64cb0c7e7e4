"""Storage: N databases of one schema, and accounts in them.

How a question travels: a repository (`accounts`, or a module's store) calls `shards`, which finds the owner's database
by the slot map (`slots`). `database` prepares the statement once (`statements`) and queues a job (`jobs`); a thread of
`workers` runs it on its own connection (`sqlite`, `postgres`), and the answer comes back to the loop, many at once if
many are ready. `faults` decides which errors mean that the database is out of order: those become
`StorageUnavailable`, at once while it is known to be down, and all is well again as soon as it answers.

Rules that hold everywhere here:

* A thread owns its connection for as long as it works, so nothing ever waits for a pool.
* SQLite: one writer thread, and every write goes through it; what waits is committed together.
* PostgreSQL: one statement is one round trip, and no lock is held across another one.
* A connection that breaks during a read is replaced and the read repeated, once. A write is not: nobody knows whether
  it landed.
* SQLite's reads are made by threads, too, but the loop waits for them, for a millisecond at most and not at all for a
  while behind one that took longer (`workers`). The architecture's rule 8 wants the loop to wait for nothing; here it
  departs from that, since two threads that fight for the interpreter cost a login a third more than that moment does.
* Each transaction has a name. Counters and logs know the name; nothing knows the values.

`migrate` brings every shard to the schema of this release.
"""
