"""xmppd itself: the in-process bus, default modules, registration open, no limits on logins; SQLite or PostgreSQL."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from ..task import Task
from .base import DOMAIN, Server, Setting

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "xmppd"

# only limits per address are in the way: all clients come from loopback
CONFIGURATION = """\
[server]
data_folder = "{data}"

[hosts."{domain}"]
certificate = "{certificate}"
key = "{key}"
store = "{store}"

[[listeners]]
kind = "c2s"
address = "127.0.0.1"
port = {port}
tls = "optional"
scram_without_tls = true

[[shards]]
url = "{shard}"

[limits]
connections_per_address = 100000

[modules.register]
enabled = true
per_address = 0
"""


class Xmppd(Server):
    """One node, one command, no other service."""

    name: ClassVar = "xmppd"
    data_format: ClassVar = "xmppd"
    needs: ClassVar = (str(PROGRAM),)
    tasks: ClassVar = frozenset(Task)
    is_python: ClassVar = True

    def version(self) -> str:
        """Return the commit, with a mark if the tree differs from it."""
        return git("describe", "--always", "--dirty", "--exclude", "*")

    def command(self, setting: Setting) -> list[str]:
        """Write `xmppd.toml`."""
        path = setting.folder / "xmppd.toml"
        path.write_text(
            CONFIGURATION.format(
                data=setting.data,
                domain=DOMAIN,
                certificate=setting.certificate.certificate,
                key=setting.certificate.key,
                port=setting.ports[0],
                store="always" if setting.keeps else "never",
                shard=self.shard(setting),
            )
        )
        return [str(PROGRAM), "--config", str(path)]

    def shard(self, setting: Setting) -> str:
        """Return the URL of the only shard: a file among the data."""
        return "sqlite:///shard0.sqlite"


class XmppdOnPostgres(Xmppd):
    """The same node on a PostgreSQL database."""

    name: ClassVar = "xmppd-pg"
    data_format: ClassVar = "xmppd-pg"
    tasks: ClassVar = frozenset({Task.STORE})
    uses_postgres: ClassVar = True

    def shard(self, setting: Setting) -> str:
        """Return the URL of the only shard: a database, made if need be."""
        setting.database().ensure("xmppd")
        return setting.database().url("xmppd")


def git(*arguments: str) -> str:
    """Ask git about this repository; `unknown` where there is none."""
    answer = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
