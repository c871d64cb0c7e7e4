"""The front door: builds the house from the configuration, and nothing else imports it.

`main` is the command `xmppd`. `server` gives a node databases, certificates and listeners (`listening`); `node` puts
core and modules together and knows no socket, so that a whole server also runs in memory. What keeps a server from
starting is one `StartError`, and one line on standard error.
"""
