"""The message log in SQL: append in groups, read by key, write cursors now and then.

How a message gets in: `log` (the facade, `SqlMessageLog`) finds the shard of the owner and queues the entries with that
shard's `writer`. While one batch is in flight the next one gathers; small ones keep a `pace`. A `batch` sorts its
owners; `postgres_append` or `sqlite_append` commits it, and the waiters are told, all by one call.

How it gets out: `reads` makes one statement for each shape of question and runs it raw on a reading connection.

How it is known to be delivered: `gathering` holds what sessions have delivered for up to a second, then `cursors`
merges it into what is stored. Both describe sets of ids, and the merge is their union, so nodes may write in any order.

How it goes: `retention` removes what is too old, on PostgreSQL by whole `partitions`.

Why these rules hold:

* **Ids grow in commit order for each owner.** The owner's head is locked from before its rows are numbered until they
  are committed. The clock may go back: the next id is never less than the last one plus one.
* **No batch waits for another one that waits for it.** Heads are inserted and locked by ascending digest.
* **A batch lands once.** On PostgreSQL the writer's own row is locked first and says which batch was the last, and what
  it was answered. So a batch that is sent again, since the connection broke before its answer came, waits for the
  first one's end and gets the same answer. On SQLite a commit that fails is a commit that failed.
* **No lock is held across a round trip.** A batch, a merge, making a partition: each is one statement.
"""

from .log import SqlMessageLog as SqlMessageLog
