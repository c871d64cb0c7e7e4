"""Prosody with its default storage (flat files) and the modules that Debian enables, rate limits off."""

import re
import subprocess
from typing import ClassVar

from ..task import Task
from .base import DOMAIN, Server, Setting

MODULES = (
    "disco", "roster", "saslauth", "tls", "blocklist", "bookmarks", "carbons", "dialback", "pep", "private", "smacks",
    "vcard4", "vcard_legacy", "csi_simple", "ping", "register", "time", "uptime", "version", "admin_adhoc", "posix",
)  # fmt: skip

# every message is archived: what goes to whom never matters
ARCHIVE = """\
default_archive_policy = true
archive_expires_after = "1w"
"""

# `limits` is not loaded: it would slow every client down to 10 KB/s
CONFIGURATION = """\
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{data}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ {other} }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ {modules} }}
storage = "internal"
authentication = "internal_hashed"
allow_registration = true
c2s_require_encryption = false
ssl = {{ certificate = "{certificate}"; key = "{key}"; }}
log = {{ info = "{folder}/prosody.log" }}
{more}
VirtualHost "{domain}"
"""


class Prosody(Server):
    """Prosody as it comes."""

    name: ClassVar = "prosody"
    data_format: ClassVar = "prosody"
    needs: ClassVar = ("prosody",)
    tasks: ClassVar = frozenset({Task.RELAY, Task.STORE})
    more: ClassVar[str] = ""

    def version(self) -> str:
        """Return Prosody's version."""
        answer = subprocess.run(["prosodyctl", "about"], capture_output=True, text=True, check=False)
        found = re.search(r"^Prosody (.+)$", answer.stdout, re.MULTILINE)
        return found.group(1).strip() if found else "unknown"

    def command(self, setting: Setting) -> list[str]:
        """Write `prosody.cfg.lua`."""
        path = setting.folder / "prosody.cfg.lua"
        modules = (*MODULES, "mam") if setting.keeps else MODULES
        path.write_text(
            CONFIGURATION.format(
                folder=setting.folder,
                data=setting.data,
                port=setting.ports[0],
                other=setting.ports[1],
                modules=" ".join(f'"{module}";' for module in modules),
                certificate=setting.certificate.certificate,
                key=setting.certificate.key,
                more=self.more + "\n" + (ARCHIVE if setting.keeps else ""),
                domain=DOMAIN,
            )
        )
        return ["prosody", "-F", "--config", str(path)]


class ProsodyCalm(Prosody):
    """Prosody with a lazier garbage collector: nobody's default, but the best it can do."""

    name: ClassVar = "prosody-gc400"
    more: ClassVar[str] = 'gc = { mode = "incremental"; threshold = 400; speed = 500 }'
