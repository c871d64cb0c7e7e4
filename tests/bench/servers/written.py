"""What a server writes before it is started."""

from bench.servers import SERVERS
from bench.servers.base import Setting


def written(server: str, setting: Setting) -> str:
    """Return the configuration that a server is started with."""
    before = set(setting.folder.iterdir())
    SERVERS[server]().command(setting)
    (path,) = set(setting.folder.iterdir()) - before
    return path.read_text()
