"""Administration from inside: the socket that `xmppctl` talks to, and one file for each noun that it knows.

A noun is a dataclass. Its fields say what it needs from the server (`typing.Protocol`s, all but a few declared in
`xmppd.core`), its methods are commands (`xmppd.core.commands`). The running server fills the fields with what it lives
on; with the server down `xmppctl` fills those of the nouns that can do without it with the files and the database.
`nouns` lists them. Nothing here decides who may do what: `xmppd.core.administration` does.

The socket speaks lines of JSON (`wire`): one request a line, any number of requests at once, each answered by zero or
more rows and then by one result or one error.
"""
