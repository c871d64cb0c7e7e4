"""The ports that are open: which sockets a listener of the configuration stands for, and what connects to them."""

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from ..config.server import UNSERVED, Kind, Listener, Tls
from ..core.connection import Receiver
from ..core.log import Log
from ..transport.certificate import CertificateError
from ..transport.http import HttpSite
from ..transport.listener import Endpoint, Security, Surroundings, listen
from ..transport.listener import Listener as OpenListener
from ..transport.tls_contexts import Certificates, TlsContexts, TlsRules
from .start_error import StartError

log = Log("server")
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # what "*" in the configuration stands for
NO_IPV6: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})
_SECURITY: Final = {Tls.DIRECT: Security.DIRECT, Tls.NONE: Security.NONE}


class NewClient(Protocol):
    """Makes the driver of a new client connection: `Node.client`."""

    def __call__(self, *, tls_allowed: bool, tls_required: bool, scram_without_tls: bool) -> Receiver: ...


class Ports:
    """The open ports of this process.

    :param file: the configuration file, for messages.
    :param certificates: what TLS shows; None if no host has a certificate.
    :param site: what HTTP listeners serve.
    """

    def __init__(
        self,
        file: Path,
        reactor: Any,
        surroundings: Surroundings,
        certificates: Certificates | None,
        client: NewClient,
        site: HttpSite,
    ) -> None:
        self._file = file
        self._reactor = reactor
        self._surroundings = surroundings
        self._certificates = certificates
        self._client = client
        self._site = site
        self._site.noisy = False  # what is opened is told below
        self._listeners: list[OpenListener] = []
        self._http: list[Any] = []

    async def open(self, listener: Listener) -> None:
        """Open what one listener of the configuration asks for; nothing if this version does not serve it.

        :raises StartError: it cannot be opened.
        """
        if (listener.kind, listener.tls) in UNSERVED:
            return
        opener = self._open_http if listener.kind is Kind.HTTP else self._open_clients
        for address in EVERYWHERE if listener.address == "*" else (listener.address,):
            try:
                port = await opener(listener, address)
            except OSError as error:
                if address != listener.address and ":" in address and error.errno in NO_IPV6:
                    continue  # a machine without IPv6 is served by IPv4 alone
                raise StartError(_trouble(error, address, listener.port, self._file)) from error
            log.info(
                "listens on {address} port {port}: {kind}, {tls}",
                address=address, port=port, kind=listener.kind.value, tls=listener.tls.value,
            )  # fmt: skip

    def close(self) -> None:
        """Accept no more; open connections go on."""
        for listener in self._listeners:
            listener.close()
        for port in self._http:
            port.stopListening()
        self._listeners.clear()
        self._http.clear()

    async def _open_clients(self, listener: Listener, address: str) -> int:
        endpoint = Endpoint(
            address, listener.port, _SECURITY.get(listener.tls, Security.STARTTLS), listener.proxy_protocol
        )
        contexts = None if endpoint.security is Security.NONE else self._contexts(listener)
        opening = listen(endpoint, self._receivers(listener), self._surroundings, contexts)
        loop = self._surroundings.loop
        opened: OpenListener = await Deferred.fromFuture(asyncio.ensure_future(opening, loop=loop))
        self._listeners.append(opened)
        return opened.port

    def _receivers(self, listener: Listener) -> Callable[[], Receiver]:
        tls_allowed = listener.tls in (Tls.STARTTLS, Tls.OPTIONAL)
        tls_required = listener.tls in (Tls.STARTTLS, Tls.DIRECT)
        scram_without_tls = listener.scram_without_tls
        return lambda: self._client(
            tls_allowed=tls_allowed, tls_required=tls_required, scram_without_tls=scram_without_tls
        )

    def _contexts(self, listener: Listener) -> TlsContexts:
        if self._certificates is None:
            raise StartError(f"{self._file}: port {listener.port} wants TLS: give a host a certificate and a key")
        authorities = listener.client_authorities
        try:
            return TlsContexts(
                self._certificates, TlsRules(ask_certificate=authorities is not None, authorities=authorities)
            )
        except CertificateError as error:
            raise StartError(f"{self._file}: client_authorities: {error}") from error

    async def _open_http(self, listener: Listener, address: str) -> int:
        try:
            port = self._reactor.listenTCP(listener.port, self._site, interface=address)
        except CannotListenError as error:
            raise error.socketError from error
        self._http.append(port)
        number: int = port.getHost().port
        return number


def _trouble(error: OSError, address: str, port: int, file: Path) -> str:
    """Say why a port cannot be opened, and what to do."""
    reason = (error.strerror or str(error)).rpartition(": ")[2]
    where = f"{address} port {port}"
    if isinstance(error, PermissionError) and 0 < port < 1024:
        return f"{where}: {reason}: ports below 1024 need the capability CAP_NET_BIND_SERVICE"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: {reason}: stop what listens there, or choose another port in {file}"
    return f"{where}: {reason}: choose another address or port in {file}"
