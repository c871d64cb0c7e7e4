"""A wing: many nodes. Not built yet: the bus of one process is the process itself."""
