"""The table of RFC 6121, 8.5, as the tests read it: every type of message, every address, every kind of resource."""

# D: the resource gets it, A: all resources whose priority is not negative, L: kept or bounced, E: an error, S: silence
SECTION = """
                            | normal | chat | groupchat | headline | error
    bare, nobody            |   L    |  L   |     E     |    S     |   S
    bare, negative          |   L    |  L   |     E     |    S     |   S
    bare, reachable         |   A    |  A   |     E     |    A     |   S
    connected, nobody       |   D    |  D   |     D     |    D     |   D
    connected, negative     |   D    |  D   |     D     |    D     |   D
    connected, reachable    |   D    |  D   |     D     |    D     |   D
    missing, nobody         |   L    |  L   |     E     |    S     |   S
    missing, negative       |   L    |  L   |     E     |    S     |   S
    missing, reachable      |   A    |  A   |     E     |    S     |   S
"""


def cells() -> list[tuple[str, str, str, str]]:
    """Return (address, resources, type, fate) of every cell."""
    found = []
    head, *rows = SECTION.strip("\n").splitlines()
    types = [type.strip() for type in head.split("|")[1:]]
    for row in rows:
        names, *fates = row.split("|")
        address, _, resources = names.strip().partition(", ")
        for type, fate in zip(types, fates, strict=True):
            found.append((address, resources, type, fate.strip()))
    return found
