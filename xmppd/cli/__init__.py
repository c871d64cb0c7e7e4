"""The front door for administrators: `xmppctl`.

    xmppctl [--config FILE] [--socket FILE] [--json] NOUN VERB [ARGUMENTS]

It has no command of its own. A running server is asked which commands it knows, its own and its modules', and runs
them. With the server down the same declarations are read from the code, so that help works, and those commands that can
do without the server run here, on the files and the database (`offline`).

Exit codes (`xmppd.core.results.Exit`):

* 0: done;
* 1: the command failed, and said why;
* 2: wrong usage: an unknown command, an argument that is missing or does not fit;
* 3: the command needs a running server, and none answers;
* 4: the account, session, module or host that was named does not exist;
* 5: refused: not an administrator, or not confirmed;
* 70: a fault of the server; its log has the details;
* 130: interrupted.

Starting up is most of what a short command costs, so everything here imports late what only some commands need: no
Twisted, SQLAlchemy or rich before a command asks for it.
"""
