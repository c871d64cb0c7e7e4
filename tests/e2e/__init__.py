"""End-to-end tests: real processes, real sockets, real TLS, and clients that are not ours.

A *deployment* is what clients connect to: one process on SQLite (`single`), or several behind a load balancer. Tests know
nothing of its make; they ask it for places to connect to and for its administration. `cast` gives each test accounts of
its own, so that all tests can share one deployment.

Two kinds of client speak: `Client` is slixmpp, `Raw` is XML over pyOpenSSL for what slixmpp cannot do or will not do.
That something does *not* come is proved by a ping on the same stream, never by waiting.
"""
