"""xmppd itself: SQLite, the in-process bus, default modules, registration open, no limits on logins."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

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

[[listeners]]
kind = "c2s"
address = "127.0.0.1"
port = {port}
tls = "optional"
scram_without_tls = true

[[shards]]
url = "sqlite:///shard0.sqlite"

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
            )
        )
        return [str(PROGRAM), "--config", str(path)]


def git(*arguments: str) -> str:
    """Ask git about this repository; `unknown` where there is none."""
    answer = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
