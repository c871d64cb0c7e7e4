"""What the single values cannot tell: whether the parts of a configuration fit together."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from .addresses import account_problem, bind_problem, contact_problem, domain_problem, is_loopback, overlap
from .convert import Conversion, KeyPath
from .schema import options
from .server import LISTENER_DEFAULTS, UNSERVED, Config, Host, Kind, Listener, Tls

_SCHEMES: Final = ("sqlite", "postgresql")


def check_hosts(config: Config, conversion: Conversion) -> None:
    """Complain of names that are no domains, of half a certificate and of addresses that are none."""
    if not config.hosts and conversion.is_clean(("hosts",)):
        conversion.complain(("hosts",), 'there is no host: write [hosts."example.org"]')
    needs_tls = any(listener.tls is not Tls.NONE for listener in config.listeners if listener.kind is Kind.C2S)
    for domain, host in config.hosts.items():
        path = ("hosts", domain)
        if not conversion.is_clean(path):  # what was misspelt would be missed once more
            continue
        if text := domain_problem(domain):
            conversion.complain(path, text)
        _check_certificate(host, path, conversion, is_needed=needs_tls)
        for number, address in enumerate(host.admins):
            if text := account_problem(address):
                conversion.complain((*path, "admins", number), text, address)
        for name, number, address in _contacts(host):
            if text := contact_problem(address):
                conversion.complain((*path, "contacts", name, number), text, address)


def check_listeners(config: Config, conversion: Conversion) -> None:
    """Complain of listeners that make no sense, of addresses that are none and of two on one port."""
    if not conversion.is_clean(("listeners",)):  # their numbers and ports may not be what the file says
        return
    for number, listener in enumerate(config.listeners):
        _check_listener(listener, ("listeners", number), conversion)
    for (first, one), (second, other) in combinations(enumerate(config.listeners), 2):
        if one.port == other.port != 0 and _both_bind(one, other) and overlap(one.address, other.address):
            conversion.complain(
                ("listeners", second, "port"),
                f"listeners[{first}] already has this port on {one.address}: choose another one",
                other.port,
            )


def check_shards(config: Config, conversion: Conversion) -> None:
    """Complain of databases that we do not know, and of one that is named twice."""
    if not conversion.is_clean(("shards",)):
        return
    if not config.shards:
        conversion.complain(("shards",), 'there is no database: write [[shards]] and url = "sqlite:///xmppd.sqlite"')
    seen: dict[str, int] = {}
    for number, shard in enumerate(config.shards):
        path: KeyPath = ("shards", number, "url")
        scheme = shard.url.partition(":")[0]
        if scheme.partition("+")[0] not in _SCHEMES:
            conversion.complain(path, "must begin with sqlite:// or postgresql://", shard.url.without_secrets())
        if shard.url in seen:
            text = f"is the database of shards[{seen[shard.url]}]: name each one once"
            conversion.complain(path, text, shard.url.without_secrets())
        seen.setdefault(shard.url, number)


def check_admin(config: Config, conversion: Conversion) -> None:
    """Complain of a socket that makes everybody on the machine an administrator."""
    if config.admin.mode & 0o007:
        text = 'would make everybody on this machine an administrator: write "0600" or "0660"'
        conversion.complain(("admin", "mode"), text, str(config.admin.mode))


def notes(config: Config) -> list[str]:
    """Return what an operator should know of a configuration that can be used: one line each."""
    found = []
    for number, listener in enumerate(config.listeners):
        where = f"listeners[{number}] ({listener.kind}, {listener.address} port {listener.port})"
        if (listener.kind, listener.tls) in UNSERVED:
            found.append(f"{where}: not served by this version")
        elif listener.scram_without_tls and not is_loopback(listener.address):
            found.append(f"{where}: lets clients log in without TLS, though other machines can reach it")
    return found


def _check_certificate(host: Host, path: KeyPath, conversion: Conversion, *, is_needed: bool) -> None:
    if host.certificate and not host.key:
        conversion.complain((*path, "key"), "is missing: name the private key of the certificate")
    elif host.key and not host.certificate:
        conversion.complain((*path, "certificate"), "is missing: name the certificate of the key")
    elif not host.certificate and is_needed:
        text = "is missing: clients connect by TLS, so name a certificate and its key"
        conversion.complain((*path, "certificate"), text)
    for name, file in (("certificate", host.certificate), ("key", host.key)):
        if file is not None and not file.is_file():
            conversion.complain((*path, name), "there is no such file", str(file))


def _contacts(host: Host) -> Iterator[tuple[str, int, str]]:
    for one in options(type(host.contacts)):
        addresses: list[Any] = getattr(host.contacts, one.name)
        yield from ((one.name, number, address) for number, address in enumerate(addresses))


def _check_listener(listener: Listener, path: KeyPath, conversion: Conversion) -> None:
    if (listener.kind, listener.tls) not in LISTENER_DEFAULTS:
        fitting = " or ".join(f'"{tls}"' for kind, tls in LISTENER_DEFAULTS if kind is listener.kind)
        conversion.complain((*path, "tls"), f"makes no sense for {listener.kind}: write {fitting}", listener.tls)
    if text := bind_problem(listener.address):
        conversion.complain((*path, "address"), text, listener.address)
    if listener.scram_without_tls and listener.kind is not Kind.C2S:
        conversion.complain((*path, "scram_without_tls"), "is for clients (c2s) only: remove it", True)
    elif listener.scram_without_tls and listener.tls in (Tls.STARTTLS, Tls.DIRECT):
        text = f'has no effect where TLS is required: remove it, or write tls = "optional" instead of "{listener.tls}"'
        conversion.complain((*path, "scram_without_tls"), text, True)
    elif listener.kind is Kind.C2S and listener.tls is Tls.NONE and not listener.scram_without_tls:
        text = 'nobody could log in without TLS: write "starttls", or set scram_without_tls if you know why'
        conversion.complain((*path, "tls"), text, listener.tls)


def _both_bind(one: Listener, other: Listener) -> bool:
    return not bind_problem(one.address) and not bind_problem(other.address)
