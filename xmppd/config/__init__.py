"""Typed options: what an operator may write, what it means, and what is wrong with what was written.

Every option is a field of a dataclass (see `schema`): the server's own in `server`, a module's in its `Config`. From
these declarations alone the loader reads and checks the file (`load`), the reload finds out what has changed
(`changes`), and the sample configuration and `xmppctl config show` are written (`sample`, `show`).

A mistake is told in one line that names the file, the key, the value and the remedy, and all mistakes are told at once.
Nothing is guessed: an unknown key is an error, and so is a number where a unit is needed.
"""
