"""The servers under load, one a file. Each makes private instances on loopback, and ends them by process id."""

from .base import Instance, Server, StartError
from .ejabberd import Ejabberd, EjabberdKeeping, EjabberdOneScheduler, EjabberdOnPostgres
from .prosody import Prosody, ProsodyCalm
from .xmppd import Xmppd, XmppdOnPostgres

KINDS: tuple[type[Server], ...] = (
    Xmppd,
    XmppdOnPostgres,
    Prosody,
    Ejabberd,
    EjabberdOnPostgres,
    ProsodyCalm,
    EjabberdOneScheduler,
    EjabberdKeeping,
)
SERVERS = {server.name: server for server in KINDS}
DEFAULT = (Xmppd.name, XmppdOnPostgres.name, Prosody.name, Ejabberd.name, EjabberdOnPostgres.name)

__all__ = ["DEFAULT", "SERVERS", "Instance", "Server", "StartError"]
