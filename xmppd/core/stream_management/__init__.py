"""XEP-0198 on our side of a client's stream: sessions that outlive their connections.

* `managed`: one session whose stanzas are counted. It belongs to the session, not to a connection.
* `hibernation`: what such a session is written to while it has no connection.
* `asking`: asks for acknowledgements when streams are idle, and gives up those that do not answer.
* `management`: all of a node: enabling, resuming, limits, time-outs. This is what modules and logins call.
* `memory`: how far sessions were that are over.
* `leftovers`: what becomes of what nobody has acknowledged when a session ends.

The counters and the elements are `xmppd.protocol.stream_management`.

A stanza that a client sent is *handled* once it is settled: what it brings about is committed, or its sender has an
error (see `gate`). So `h` is the gate's count, less what came before `<enable/>`.

A resumption waits until everything that the old connection had begun is settled, and only then tells `h`: what the
client sends again is exactly what was never begun.
"""
