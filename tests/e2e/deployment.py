"""What clients connect to. So far there is one make, `single`; each further one is a class with the same methods."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from .certificates import Authority, self_signed
from .node import Node, Place
from .settings import Options, Tables

CAPULET: Final = "capulet.example"
MONTAGUE: Final = "montague.example"
GUESTS: Final = "guests.example"
HOSTS: Final = (CAPULET, MONTAGUE, GUESTS)
SEND_BUFFER: Final = 64 * 1024
"""What may wait for a client that does not read, in bytes."""

PER_ADDRESS: Final = 40
"""How many connections one address may hold. Tests that use them up come from addresses of their own."""


class Deployment(Protocol):
    """A running service.

    :ivar name: what its make is called.
    :ivar folder: where its certificates are.
    :ivar authority: whom it trusts to vouch for users.
    """

    name: str
    folder: Path
    authority: Authority

    @property
    def nodes(self) -> Sequence[Node]:
        """Its processes."""

    def start(self) -> None:
        """Start it; return when it is ready."""

    def stop(self) -> None:
        """Stop it in good order."""

    def place(self, role: str) -> Place:
        """Return where clients of a kind connect to: a key of `LISTENERS`."""

    def admin(self, *words: str, **arguments: Any) -> dict[str, Any]:
        """Run an administrative command, on any node."""


class Single:
    """One process, one SQLite database."""

    name = "single"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority("Friar Laurence")
        self._node = Node(folder, _tables(folder), _listeners(self.authority.write(folder / "users.crt")))

    @property
    def nodes(self) -> Sequence[Node]:
        """Its process."""
        return (self._node,)

    def start(self) -> None:
        """Start it; return when it is ready."""
        self._node.start()

    def stop(self) -> None:
        """Stop it; it must end well."""
        code = self._node.running.stop()
        assert code == 0, self._node.running.stderr

    def place(self, role: str) -> Place:
        """Return where clients of a kind connect to."""
        return self._node.place(role)

    def admin(self, *words: str, **arguments: Any) -> dict[str, Any]:
        """Run an administrative command."""
        return self._node.admin(*words, **arguments)


DEPLOYMENTS: Final = {"single": Single}


def trust(folder: Path) -> ssl.SSLContext:
    """Return a context that trusts the certificates of the hosts, each for its own name, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for host in HOSTS:
        context.load_verify_locations(folder / f"{host}.crt")
    context.set_alpn_protocols(["xmpp-client"])
    return context


def _tables(folder: Path) -> Tables:
    """Return the hosts with their certificates, and limits that tests can reach."""
    hosts: Tables = {}
    for host in HOSTS:
        certificate, key = self_signed(folder, host)
        hosts[f'hosts."{host}"'] = {"certificate": certificate.name, "key": key.name, "anonymous": host == GUESTS}
    return {
        **hosts,
        "limits": {
            "send_buffer": f"{SEND_BUFFER // 1024} KiB",
            "connections_per_address": PER_ADDRESS,
            "login_failures_per_address": 1000,  # all tests share one
        },
        "modules.register": {"enabled": True, "per_address": 0},
    }


def _listeners(authorities: Path) -> dict[str, Options]:
    """Return the listeners by the role that tests ask for."""
    return {
        "starttls": {"kind": "c2s", "tls": "starttls"},
        "direct": {"kind": "c2s", "tls": "direct"},
        "certificate": {"kind": "c2s", "tls": "starttls", "client_authorities": authorities.name},
        "proxy": {"kind": "c2s", "tls": "starttls", "proxy_protocol": True},
        "http": {"kind": "http"},
    }
