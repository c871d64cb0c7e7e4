"""The certificates of all hosts: found by name, watched on disk, swapped while sessions go on.

A session keeps the certificate that it began with; only new handshakes see a new one. Files that are broken or half
written change nothing: the certificate in use stays, and the next change of either file is tried again.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..core.clock import Clock
from ..core.log import Log
from .certificate import (
    DAY,
    Certificate,
    CertificateError,
    ascii_name,
    display_name,
    read_certificate,
    warnings_about,
)

Stamp = tuple[tuple[int, int, int], ...]
GONE: Final = (0, 0, 0)

log = Log("tls")


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a host's certificate is kept: the full chain in PEM, and the key in PEM."""

    host: str
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """What `xmppctl cert list` shows of one certificate; times in seconds since the epoch."""

    host: str
    subject: str
    names: tuple[str, ...]
    issuer: str
    not_before: float
    not_after: float
    days_left: int
    file: Path
    warnings: Sequence[str]


@dataclass(slots=True)
class _Entry:
    files: CertificateFiles
    certificate: Certificate
    stamp: Stamp


class CertificateStore:
    """The certificates of the hosts; the first host is the default one.

    :param files: one entry for each host, at least one.
    :param clock: its seconds count from the epoch; they decide what has expired.
    :param interval: seconds between two looks at the files.
    :raises CertificateError: one of the certificates cannot be used.
    """

    def __init__(self, files: Sequence[CertificateFiles], clock: Clock, interval: float = 5.0) -> None:
        if not files:
            raise CertificateError("no host has a certificate; name a certificate and a key for at least one")
        self._clock = clock
        self._interval = interval
        self._watching: Any = None
        self._entries = {ascii_name(entry.host): self._load(entry) for entry in files}
        self._default = self._entries[ascii_name(files[0].host)]
        self._by_name = self._index()

    def find(self, host: str | None) -> Certificate:
        """Return the certificate of a host, else one whose names cover it, else that of the default host."""
        if host is None:
            return self._default.certificate
        name = ascii_name(host)
        if (entry := self._entries.get(name)) is not None:
            return entry.certificate
        wildcard = f"*.{name.partition('.')[2]}"
        return self._by_name.get(name) or self._by_name.get(wildcard) or self._default.certificate

    def current(self) -> Collection[Certificate]:
        """Return the certificates in use."""
        return {entry.certificate for entry in self._entries.values()}

    def list(self) -> Sequence[CertificateInfo]:
        """Return what is known of each host's certificate, in the order of the configuration."""
        return [self._describe(entry) for entry in self._entries.values()]

    def reload(self) -> Sequence[str]:
        """Read all files again; return the hosts that have another certificate now.

        :raises CertificateError: for all files that cannot be used, together; the certificates in use stay.
        """
        return self._renew(self._entries.values())

    def watch(self) -> None:
        """Look at the files every few seconds, and take what has changed."""
        if self._watching is None:
            self._watching = self._clock.callLater(self._interval, self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _look(self) -> None:
        """Reload what has another stamp than when it was last tried."""
        self._watching = None
        try:
            self._renew([entry for entry in self._entries.values() if _stamp(entry.files) != entry.stamp])
        except CertificateError as error:
            log.error("a changed certificate is not used, the old one stays: {error}", error=error)
        finally:
            self.watch()

    def _renew(self, entries: Iterable[_Entry]) -> Sequence[str]:
        """Swap those entries whose files are good; complain about the others together."""
        changed, errors = [], []
        for entry in entries:
            entry.stamp = _stamp(entry.files)
            try:
                fresh = self._load(entry.files)
            except CertificateError as error:
                errors.append(str(error))
                continue
            if fresh.certificate.chain != entry.certificate.chain:
                entry.certificate, entry.stamp = fresh.certificate, fresh.stamp
                changed.append(entry.files.host)
                log.info("the certificate of {host} was replaced", host=entry.files.host)
        self._by_name = self._index()
        if errors:
            raise CertificateError("; ".join(errors))
        return changed

    def _load(self, files: CertificateFiles) -> _Entry:
        """Read one host's files and say what is wrong with them."""
        stamp = _stamp(files)  # taken first: what changes while we read is seen at the next look
        certificate = read_certificate(files.certificate, files.key)
        for warning in warnings_about(certificate, files.host, files.key, self._clock.seconds()):
            log.warn(
                "the certificate of {host} {warning} ({file})",
                host=files.host,
                warning=warning,
                file=files.certificate,
            )
        return _Entry(files, certificate, stamp)

    def _index(self) -> dict[str, Certificate]:
        """Map every name in a certificate to it; the host that comes first keeps a name that several have."""
        index: dict[str, Certificate] = {}
        for entry in self._entries.values():
            for name in entry.certificate.names:
                index.setdefault(name, entry.certificate)
        return index

    def _describe(self, entry: _Entry) -> CertificateInfo:
        certificate, leaf, now = entry.certificate, entry.certificate.chain[0], self._clock.seconds()
        return CertificateInfo(
            host=entry.files.host,
            subject=display_name(leaf.subject),
            names=certificate.names,
            issuer=display_name(leaf.issuer),
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            days_left=int((certificate.not_after - now) // DAY),
            file=entry.files.certificate,
            warnings=warnings_about(certificate, entry.files.host, entry.files.key, now),
        )


def _stamp(files: CertificateFiles) -> Stamp:
    """Return what changes when one of the files is replaced or written; links are followed, as certbot needs it."""
    return tuple(_stamp_of(file) for file in (files.certificate, files.key))


def _stamp_of(file: Path) -> tuple[int, int, int]:
    try:
        status = file.stat()
    except OSError:
        return GONE
    return status.st_mtime_ns, status.st_size, status.st_ino
