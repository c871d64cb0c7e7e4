"""The front door: builds the house from the configuration, and nothing else imports it.

`node` puts the core, the storage and the modules together; it knows no socket, so that a whole server also runs in memory.
`server` gives a node listeners, signals and a reactor. `main` is the command `xmppd`.
"""
