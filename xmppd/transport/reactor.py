"""The reactor: Twisted's, on the fastest loop there is.

uvloop where it is installed, else asyncio's own selector loop. To be called before anything imports
`twisted.internet.reactor`; that is why nothing in xmppd imports it at module level.
"""

import asyncio
from typing import Any

from twisted.internet import asyncioreactor


def install() -> tuple[Any, asyncio.AbstractEventLoop]:
    """Install the reactor of this process; return it and its loop.

    :raises twisted.internet.error.ReactorAlreadyInstalledError: there is one already.
    """
    loop = new_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)  # type: ignore[no-untyped-call]
    from twisted.internet import reactor

    return reactor, loop


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop; it belongs to the caller."""
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop()
    return uvloop.new_event_loop()
