"""The server's own options: one dataclass for each table of the configuration file.

These declarations are the only place where an option, its default, its bounds and its meaning stand. The objects that
`load` makes of them are shared by whoever needs them; a reload changes the live options in place (see `changes`), so
read them where they are used instead of copying them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from .limits import Limits
from .schema import Duration, Mode, Url, option, required


class Kind(StrEnum):
    """What connects to a listener."""

    C2S = "c2s"
    S2S = "s2s"
    COMPONENT = "component"
    HTTP = "http"


class Tls(StrEnum):
    """When TLS begins on a listener."""

    STARTTLS = "starttls"
    DIRECT = "direct"
    OPTIONAL = "optional"
    NONE = "none"


class Store(StrEnum):
    """Whether messages are kept."""

    ALWAYS = "always"
    NEVER = "never"


class Level(StrEnum):
    """How important a line of the log is at least."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    CRITICAL = "critical"


class LogFormat(StrEnum):
    """What a line of the log looks like."""

    TEXT = "text"
    JSON = "json"


@dataclass(slots=True, kw_only=True)
class Server:
    """What concerns this process as a whole."""

    name: str = option("xmppd", live=True, help="What users are told the server is called.")
    data_folder: Path = option(
        Path("data"),
        help="Where everything is kept that the server writes; relative to the folder of this file. It must belong to "
        "the user that runs the server, and nobody else should be able to read it.",
    )
    node: str = option("node1", help="The name of this process, unique among those that serve the same hosts.")
    pid_file: Path | None = option(
        None, in_data=True, example="xmppd.pid", help="Where to write the process id, relative to data_folder."
    )
    ready_file: Path | None = option(
        None,
        in_data=True,
        example="ready",
        help="A file that exists as long as every listener accepts connections, relative to data_folder.",
    )


@dataclass(slots=True, kw_only=True)
class Contacts:
    """Whom to write to about a host (XEP-0157): addresses such as mailto:abuse@example.org or xmpp:help@example.org."""

    abuse: list[str] = option([], live=True, help="About abuse that comes from this host.")
    admin: list[str] = option([], live=True, help="About the server itself: its administrators.")
    feedback: list[str] = option([], live=True, help="For praise and complaint.")
    sales: list[str] = option([], live=True, help="For those who want to buy something.")
    security: list[str] = option([], live=True, help="About security holes.")
    status: list[str] = option([], live=True, help="Where to read whether the service is up.")
    support: list[str] = option([], live=True, help="For users who need help.")


@dataclass(slots=True, kw_only=True)
class Host:
    """Each is a domain whose accounts live here; its key is the domain, in quotes and in lower case."""

    certificate: Path | None = option(
        None,
        live=True,
        example="certificates/example.org.crt",
        help="The certificate and its chain, in PEM; relative to the folder of this file. A reload reads it again.",
    )
    key: Path | None = option(
        None,
        live=True,
        example="certificates/example.org.key",
        help="The certificate's private key, in PEM and without a password; may be the same file.",
    )
    anonymous: bool = option(False, live=True, help="Whether anybody may log in without an account (SASL ANONYMOUS).")
    admins: list[str] = option(
        [], live=True, help="Accounts that may administer this host, as bare JIDs; besides those of the role admin."
    )
    store: Store = option(
        Store.ALWAYS,
        live=True,
        help="Whether messages of this host's accounts are kept: for whoever is offline, and in the archive of each "
        "account. With never, a message for somebody who is offline bounces.",
    )
    retention: Duration | None = option(
        None,
        ge=Duration("1h"),
        live=True,
        example=Duration("365d"),
        help="For how long messages are kept, delivered or not; for ever if not set.",
    )
    contacts: Contacts = option(Contacts, help="Whom to write to about this host (XEP-0157).")


@dataclass(slots=True, kw_only=True)
class Listener:
    """Each is one address and port."""

    kind: Kind = required(
        example="c2s",
        help="Who connects here: clients (c2s), other servers (s2s), external components (component), or browsers and "
        "scrapers (http).",
    )
    tls: Tls = option(
        Tls.STARTTLS,
        help="starttls: a connection must be upgraded before anything else; direct: TLS from the first byte; optional: "
        "may be upgraded; none: never encrypted. Of component and http the default is none.",
    )
    address: str = option(
        "*",
        help='An IP address, or "*" for all of the machine. Of component and http the default is 127.0.0.1.',
    )
    port: int = option(
        5222,
        ge=0,
        le=65535,
        help="The TCP port; 0 lets the system choose one. The defaults are 5222 (c2s), 5223 (c2s, direct TLS), 5269 "
        "(s2s), 5270 (s2s, direct TLS), 5347 (component), 5280 (http) and 5281 (http, direct TLS).",
    )
    proxy_protocol: bool = option(
        False,
        help="Whether each connection begins with a PROXY protocol header (version 1 or 2) that tells the client's "
        "address. Nobody but the proxy may be able to reach such a listener.",
    )
    client_authorities: Path | None = option(
        None,
        example="certificates/users-ca.crt",
        help="Ask clients for a certificate, and trust those that an authority in this PEM file has signed: they log "
        "in by SASL EXTERNAL as the XMPP address that the certificate names.",
    )
    scram_without_tls: bool = option(
        False,
        help="Let clients log in by SCRAM on a connection that is not encrypted: for benchmarks on loopback, or behind "
        "a proxy that does TLS. A password in the clear is never accepted without TLS.",
    )


@dataclass(slots=True, kw_only=True)
class Shard:
    """Accounts are spread over all of them; their order matters and must not change."""

    url: Url = required(
        secret=True,
        example="sqlite:///xmppd.sqlite",
        help="sqlite:///FILE (relative to data_folder) or postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
    )
    readers: int = option(4, ge=1, le=64, help="How many threads, each with its own connection, read from it at once.")


@dataclass(slots=True, kw_only=True)
class Modules:
    """Which modules run. The options of each stand in a table of its own, [modules.NAME].

    :ivar configs: the `Config` of every installed module that has one, by the name of the module.
    """

    load: list[str] = option(
        [],
        example=["xmppd_example.greeter"],
        help="Modules to load besides those that come with the server, by dotted name.",
    )
    disable: list[str] = option([], example=["carbons"], help="Modules not to load, by name.")
    configs: dict[str, Any] = field(default_factory=dict, init=False)


@dataclass(slots=True, kw_only=True)
class Log:
    """What is logged, where and how."""

    level: Level = option(Level.INFO, live=True, help="Lines below this level are dropped.")
    format: LogFormat = option(
        LogFormat.TEXT, live=True, help="text: for people; json: one object in each line, for collectors."
    )
    file: Path | None = option(
        None,
        live=True,
        in_data=True,
        example="xmppd.log",
        help="The file to write to, relative to data_folder; standard error if not set. SIGHUP opens it again.",
    )
    terminal: Level | None = option(
        None,
        live=True,
        example="warn",
        help="While the log goes to a file, lines of this level and above go to standard error as well, as text.",
    )
    areas: dict[str, Level] = option(
        {},
        live=True,
        example={"c2s": "debug"},
        help="Levels of single areas, which win over the general one; an area covers those below it.",
    )


@dataclass(slots=True, kw_only=True)
class Admin:
    """The socket that xmppctl talks to."""

    socket: Path = option(Path("xmppd.sock"), in_data=True, help="Where it is, relative to data_folder.")
    mode: Mode = option(Mode("0600"), help="Its permissions: who can write to it is an administrator.")


LISTENERS_HELP: Final = (
    "Where connections are accepted. Without any, clients are served on 5222 (STARTTLS) and 5223 (direct TLS) of all "
    "addresses, and HTTP on 127.0.0.1:5280."
)


def default_listeners() -> list[Listener]:
    """Return the listeners of a file that names none."""
    return [
        Listener(kind=Kind.C2S),
        Listener(kind=Kind.C2S, tls=Tls.DIRECT, port=5223),
        Listener(kind=Kind.HTTP, tls=Tls.NONE, address="127.0.0.1", port=5280),
    ]


def default_shards() -> list[Shard]:
    """Return the shards of a file that names none: one SQLite database in the data folder."""
    return [Shard(url=Url("sqlite:///xmppd.sqlite"))]


@dataclass(slots=True, kw_only=True)
class Config:
    """The whole configuration.

    :ivar hosts: the virtual hosts by domainpart.
    """

    server: Server = option(Server, help="What concerns this process as a whole.")
    hosts: dict[str, Host] = option({}, help="The virtual hosts; there must be one at least.")
    listeners: list[Listener] = option(default_listeners, help=LISTENERS_HELP)
    shards: list[Shard] = option(
        default_shards, help="The databases. Without any, there is one SQLite database in data_folder."
    )
    modules: Modules = option(Modules, help="Which modules run, and their options.")
    log: Log = option(Log, help="What is logged, where and how.")
    limits: Limits = option(Limits, help="How much anybody may ask of the server.")
    admin: Admin = option(Admin, help="The socket that xmppctl talks to.")


LISTENER_DEFAULTS: Final[dict[tuple[Kind, Tls], tuple[str, int]]] = {
    (Kind.C2S, Tls.STARTTLS): ("*", 5222),
    (Kind.C2S, Tls.OPTIONAL): ("*", 5222),
    (Kind.C2S, Tls.NONE): ("*", 5222),
    (Kind.C2S, Tls.DIRECT): ("*", 5223),
    (Kind.S2S, Tls.STARTTLS): ("*", 5269),
    (Kind.S2S, Tls.OPTIONAL): ("*", 5269),
    (Kind.S2S, Tls.DIRECT): ("*", 5270),
    (Kind.COMPONENT, Tls.NONE): ("127.0.0.1", 5347),
    (Kind.COMPONENT, Tls.DIRECT): ("127.0.0.1", 5347),
    (Kind.HTTP, Tls.NONE): ("127.0.0.1", 5280),
    (Kind.HTTP, Tls.DIRECT): ("127.0.0.1", 5281),
}
"""The default address and port of each kind of listener; a pair that is not here makes no sense."""

UNSERVED: Final = frozenset({
    *((Kind.S2S, tls) for tls in Tls),
    *((Kind.COMPONENT, tls) for tls in Tls),
    (Kind.HTTP, Tls.DIRECT),
})  # fmt: skip
"""Listeners that may be configured but that this version does not open."""
