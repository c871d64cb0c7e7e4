"""The vault: XMPP as values and state machines.

Nothing here does I/O, reads a clock, logs or imports Twisted: bytes and times come in as arguments, events and bytes go
out as values. A driver (`xmppd.core.client_stream`) owns a `stream.Stream`, feeds it what its transport received, takes
the events one at a time, answers those that want an answer and writes what `data_to_send` returns.

The package imports the standard library, precis-i18n and idna, and nothing else; import-linter holds it to that.
"""
