"""The certificates of all hosts, from wherever the configuration names them at the time."""

from collections.abc import Collection, Mapping, Sequence

from ..config.server import Host
from ..core.clock import Clock
from ..transport.certificate import Certificate
from ..transport.certificates import CertificateFiles, CertificateInfo, CertificateStore


class HostCertificates:
    """What TLS shows; files may be replaced, and the configuration may come to name others.

    :param hosts: the hosts' options by domainpart, read anew by each `reload`.
    :param clock: its seconds count from the epoch.
    :raises xmppd.transport.certificate.CertificateError: one of them cannot be used, or there is none.
    """

    def __init__(self, hosts: Mapping[str, Host], clock: Clock) -> None:
        self._hosts = hosts
        self._clock = clock
        self._files = files_of(hosts)
        self._store = CertificateStore(self._files, clock)
        self._store.watch()

    def find(self, host: str | None) -> Certificate:
        """Return the certificate to show for a host; None asks for that of the default host."""
        return self._store.find(host)

    def current(self) -> Collection[Certificate]:
        """Return all certificates that `find` may return."""
        return self._store.current()

    def list(self) -> Sequence[CertificateInfo]:
        """Return what is known of each host's certificate."""
        return self._store.list()

    def reload(self) -> Sequence[str]:
        """Read the files again; return the hosts that have another certificate now.

        :raises xmppd.transport.certificate.CertificateError: some cannot be used; the certificates in use stay.
        """
        files = files_of(self._hosts)
        if files == self._files:
            return self._store.reload()
        before = {name: self._store.find(name).chain for name in self._hosts}
        fresh = CertificateStore(files, self._clock)
        self._store.stop()
        self._files, self._store = files, fresh
        fresh.watch()
        return [name for name, chain in before.items() if fresh.find(name).chain != chain]

    def stop(self) -> None:
        """Watch the files no more."""
        self._store.stop()


def files_of(hosts: Mapping[str, Host]) -> Sequence[CertificateFiles]:
    """Return where the certificates are of those hosts that have one, in the order of the configuration."""
    return [
        CertificateFiles(name, host.certificate, host.key)
        for name, host in hosts.items()
        if host.certificate is not None and host.key is not None
    ]
