"""The servers under load, one a file. Each makes private instances on loopback, and ends them by process id."""

from .base import Instance, Server, StartError
from .ejabberd import Ejabberd, EjabberdOneScheduler
from .prosody import Prosody, ProsodyCalm
from .xmppd import Xmppd

SERVERS: dict[str, type[Server]] = {
    server.name: server for server in (Xmppd, Prosody, Ejabberd, ProsodyCalm, EjabberdOneScheduler)
}
DEFAULT = (Xmppd.name, Prosody.name, Ejabberd.name)

__all__ = ["DEFAULT", "SERVERS", "Instance", "Server", "StartError"]
