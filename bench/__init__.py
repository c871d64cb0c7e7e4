"""What xmppd costs, beside Prosody and ejabberd, in one run on one machine.

``python -m bench`` starts private instances of the servers in turn, puts the same load on each, and reports the
*processor time of the server's whole process tree per unit of work*. Wall-clock figures are kept too, but on a machine
that others use they are lower bounds at best; processor time repeats within a tenth or so.

The load generator (`bench.generator`) is the standard library only: one process, one epoll loop, raw sockets and
prebuilt stanzas. It looks at what a server says only while it logs in; afterwards it counts markers. It checks
nothing: it is a load, not a conformance test.

* `procs`, `meter`: what the kernel counted; how crowded the machine was meanwhile.
* `loop`, `connection`, `dialogue`: the epoll loop, one socket with or without TLS, a scripted exchange on it.
* `negotiation`, `scram`, `stanzas`: what is said: from the stream header to the ping barrier, and the payloads.
* `one_request`, `hashed_token`: the same in one round trip or two, as clients log in that have been there before.
* `stage`, `scenarios`: the sessions of a run, and one scenario a file.
* `servers`: one server a file; each makes a private instance on loopback and ends it by its process id, and so with
  the PostgreSQL cluster of those that use one.
* `task`, `plan`, `runner`: what is run, in which order; `summary`, `table`, `report`, `plot`: what is shown.
* `profiler`, `sampler`: where xmppd's time goes; `micro`: microseconds per operation of its parts; `road`: of a
  message's whole way through memory.

What is compared must start alike: each block of runs has a fresh server on a copy of the same seed (accounts and
rosters), because a process that has served thousands of logins is a different process. A server with a database has its
own cluster among its data, so what the database spends is its cost and nobody else's.
"""
