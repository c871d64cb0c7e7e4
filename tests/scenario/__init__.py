"""Scenarios: a whole server in memory, and clients that say XML.

Real parser, real streams, memory connections, a fake clock and SQLite in memory. Nothing waits: `sends` runs the server until
it has nothing left to do, so "receives nothing" is exact and instant.

    juliet = server.online("juliet@capulet.example/balcony")
    juliet.sends("<message to='romeo@montague.example'><body>Art thou not Romeo?</body></message>")
    romeo.receives("<message from='juliet@capulet.example/balcony' ...>")

In expected XML ``{any}`` matches anything, ``{id}`` captures what stands there and must be the same wherever it is used again,
in expected XML as in what is sent.
"""
