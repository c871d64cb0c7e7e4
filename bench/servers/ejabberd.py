"""ejabberd with its default storage (Mnesia) or PostgreSQL, and the modules that Debian enables; rate limits off.

The emulator is started as `ejabberdctl` does it, but with a name, a cookie and a home of its own and without epmd, so
that it neither finds nor disturbs the system's instance.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import ClassVar

from ..task import Task
from .base import DOMAIN, Server, Setting
from .postgres import USER

LIBRARIES = next(iter(sorted(Path("/usr/lib").glob("*/ejabberd-*"))), Path("/usr/lib/ejabberd")).parent
OTP = Path("/usr/lib/erlang/lib")  # where the emulator looks anyway

# without shapers on the listener, mod_fail2ban and mod_pres_counter; less BOSH, WebSocket, STUN, MQTT and HTTP
CONFIGURATION = """\
loglevel: info
log_rotate_count: 0
hosts: ["{domain}"]
certfiles: ["{certificate}"]
c2s_ciphers: "HIGH:!aNULL:!eNULL:!3DES:@STRENGTH"
c2s_protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1, cipher_server_preference, no_compression]
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    backlog: 128
    access: c2s
    starttls: true
disable_sasl_mechanisms: [digest-md5, X-OAUTH2]
auth_password_format: scram
registration_timeout: infinity
{storage}
acl:
  local:
    user_regexp: ""
access_rules:
  local: {{allow: local}}
  c2s: {{allow: all}}
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: {{5000: all}}
modules:
  mod_adhoc: {{}}
  mod_admin_extra: {{}}
  mod_avatar: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_configure: {{}}
  mod_disco: {{}}
  mod_last: {{}}
{archive}
  mod_muc:
    access: all
    access_create: local
    access_persistent: local
    max_users: 1000
  mod_muc_admin: {{}}
  mod_offline:
    access_max_user_messages: max_user_offline_messages
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    plugins: [flat, pep]
  mod_push: {{}}
  mod_push_keepalive: {{}}
  mod_register:
    access: all
    ip_access: all
  mod_roster:
    versioning: true
  mod_s2s_dialback: {{}}
  mod_shared_roster: {{}}
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_vcard:
    search: false
  mod_vcard_xupdate: {{}}
  mod_version: {{}}
"""

IN_MNESIA = "default_db: mnesia"
IN_POSTGRES = """\
default_db: sql
auth_method: sql
sql_type: pgsql
sql_server: "{cluster.host}"
sql_port: {cluster.port}
sql_database: "{database}"
sql_username: "{user}"
sql_password: "{cluster.password}"
"""
DATABASE = "ejabberd"
SCHEMA = Path("/usr/share/ejabberd/sql/pg.sql")

# every message is archived: what goes to whom never matters
ARCHIVE = """\
  mod_mam:
    assume_mam_usage: true
    default: always
"""


class Ejabberd(Server):
    """ejabberd as it comes: one scheduler for each core, busy-waiting."""

    name: ClassVar = "ejabberd"
    data_format: ClassVar = "ejabberd"
    needs: ClassVar = ("ejabberdctl", "erl")
    emulator: ClassVar[tuple[str, ...]] = ()

    def version(self) -> str:
        """Return Debian's version of the package and OTP's release."""
        query = ["dpkg-query", "--show", "--showformat", "${Package} ${Version} ", "ejabberd", "erlang-base"]
        answer = subprocess.run(query, capture_output=True, text=True, check=False)
        return re.sub(r"^ejabberd ", "", answer.stdout.strip()) or LIBRARIES.name

    def environment(self, setting: Setting) -> dict[str, str]:
        """Return what `ejabberdctl` would export."""
        return {
            "HOME": str(setting.folder),
            "ERL_LIBS": os.pathsep.join(str(folder) for folder in library_folders()),
            "ERL_MAX_PORTS": "32000",
            "ERL_MAX_ETS_TABLES": "1400",
            "ERL_CRASH_DUMP_BYTES": "0",
            "EJABBERD_CONFIG_PATH": str(setting.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(setting.folder / "ejabberd.log"),
        }

    def command(self, setting: Setting) -> list[str]:
        """Write `ejabberd.yml`; the node's name is part of Mnesia's schema, so it is always the same."""
        (setting.folder / "ejabberd.yml").write_text(
            CONFIGURATION.format(
                domain=DOMAIN,
                certificate=setting.certificate.both,
                port=setting.ports[0],
                storage=self.storage(setting),
                archive=ARCHIVE if setting.keeps else "",
            )
        )
        return [
            "erl", "-name", "bench@127.0.0.1", "-setcookie", f"bench{setting.ports[1]}",
            "+K", "true", "+P", "250000", *self.emulator,
            "-erl_epmd_port", str(setting.ports[1]), "-start_epmd", "false",
            "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
            "-mnesia", "dir", f'"{setting.data}"', "-ejabberd", "log_rotate_count", "0",
            "-s", "ejabberd", "-noinput",
        ]  # fmt: skip

    def storage(self, setting: Setting) -> str:
        """Return where everything is kept, as `ejabberd.yml` says it."""
        return IN_MNESIA


class EjabberdOneScheduler(Ejabberd):
    """ejabberd with one scheduler that does not busy-wait: what its work costs and no more."""

    name: ClassVar = "ejabberd-S1-nospin"
    emulator: ClassVar = ("+S", "1:1", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none")


class EjabberdKeeping(Ejabberd):
    """ejabberd with its archive in Mnesia: nobody's choice for long, since each message costs more than the last."""

    name: ClassVar = "ejabberd-mnesia"
    data_format: ClassVar = "ejabberd-mnesia"
    tasks: ClassVar = frozenset({Task.STORE})


class EjabberdOnPostgres(Ejabberd):
    """ejabberd with everything in PostgreSQL."""

    name: ClassVar = "ejabberd-pg"
    data_format: ClassVar = "ejabberd-pg"
    tasks: ClassVar = frozenset({Task.STORE})
    uses_postgres: ClassVar = True

    def installed(self) -> bool:
        """Say whether its programs, its tables and its library for PostgreSQL are there."""
        has_library = any(any(folder.glob("p1_pgsql-*")) for folder in (OTP, *library_folders()))
        return super().installed() and SCHEMA.exists() and has_library

    def storage(self, setting: Setting) -> str:
        """Return where everything is kept: a database, made if need be."""
        cluster = setting.database()
        cluster.ensure(DATABASE, SCHEMA)
        return IN_POSTGRES.format(cluster=cluster, database=DATABASE, user=USER)


def library_folders() -> list[Path]:
    """Return where the emulator looks for ejabberd and what it needs; `ERL_LIBS` may name more, as always."""
    named = os.environ.get("ERL_LIBS", "")
    return [LIBRARIES, *(Path(folder) for folder in named.split(os.pathsep) if folder)]
