"""What a newcomer is told when the server runs: where it listens, how to log in, and what to type in which client."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ..config.server import UNSERVED, Config, Kind, Listener, Tls
from .first_run import FirstRun, NewAccount

_WIDTH: Final = 100
_TLS: Final = {
    Tls.STARTTLS: "STARTTLS",
    Tls.DIRECT: "TLS from the first byte",
    Tls.OPTIONAL: "STARTTLS if the client wants it",
    Tls.NONE: "without TLS",
}
_CLIENTS: Final = (
    (
        "Gajim",
        "Log in with the address {jid}. It warns of the certificate: choose to trust it and go on. If it does not find "
        "the server, set host {address} and port {port} under Advanced settings.",
    ),
    (
        "Dino",
        "It trusts what the system trusts, and asks nobody. Debian and its kin: sudo cp {certificate} "
        "/usr/local/share/ca-certificates/ && sudo update-ca-certificates; Fedora: sudo trust anchor {certificate}. "
        "Start it again, then add the account {jid}.",
    ),
    (
        "Conversations",
        'A telephone cannot reach this machine\'s loopback: first write address = "*" for the listener in {config} and '
        "start the server again. In its expert settings switch on the extended connection settings, then add the "
        "account {jid} with this machine's name or address as host and port {port}; when it asks about the "
        "certificate, accept it always.",
    ),
    ("profanity", "/connect {jid} server {address} port {port}, then /tls always when it asks about the certificate."),
)


def welcome(config: Config, run: FirstRun, made: Sequence[NewAccount]) -> str:
    """Return the text.

    :param made: the accounts that this run has made; only their passwords are known.
    """
    parts = ["xmppd is running.", _listening(config.listeners), _accounts(made)]
    listener = next((one for one in config.listeners if one.kind is Kind.C2S and one.tls is not Tls.DIRECT), None)
    if listener and config.hosts:
        parts.append("\n".join(_clients(config, run, listener, made)))
    where = f" The log is {config.log.file}." if config.log.file is not None else ""
    parts.append(
        f"The configuration is {run.config}; conf/xmppd.toml shows every option.{where} Ctrl-C stops the server."
    )
    return "\n\n".join(parts) + "\n"


def _listening(listeners: Iterable[Listener]) -> str:
    served = (one for one in listeners if (one.kind, one.tls) not in UNSERVED)
    return "\n".join(["It listens on", *(f"  {_place(one):<22} {_purpose(one)}" for one in served)])


def _place(listener: Listener) -> str:
    if listener.address == "*":
        return f"every address, {listener.port}"
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return f"{address}:{listener.port}"


def _purpose(listener: Listener) -> str:
    if listener.kind is Kind.HTTP:
        return f"browsers and metrics, {_TLS[listener.tls]}"
    return f"clients, {_TLS[listener.tls]}"


def _accounts(made: Sequence[NewAccount]) -> str:
    if not made:
        return "The accounts are those of earlier runs; xmppctl account passwd sets a new password."
    lines = [f"  {one.jid:<18} password {one.password}   ({one.role})" for one in made]
    return "\n".join(["These accounts are new. Their passwords are told only now:", *lines])


def _clients(config: Config, run: FirstRun, listener: Listener, made: Sequence[NewAccount]) -> Iterator[str]:
    """Return what to do in each client; addresses are those of the first host and of the plain port for clients."""
    host = next(iter(config.hosts))
    facts = {
        "jid": made[-1].jid if made else f"alice@{host}",
        "address": "127.0.0.1" if listener.address in ("*", "0.0.0.0") else listener.address,  # noqa: S104
        "port": listener.port,
        "certificate": config.hosts[host].certificate,
        "config": run.config,
    }
    yield "The certificate is self-signed, so a client must be told to trust it:"
    for name, text in _CLIENTS:
        yield textwrap.fill(
            text.format(**facts), _WIDTH, initial_indent=f"  {name:<14} ", subsequent_indent=" " * 17,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
