"""The people of one test: fresh accounts, and their clients."""

import asyncio
import itertools
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from OpenSSL import SSL

from .client import Client
from .deployment import CAPULET, HOSTS, Deployment
from .raw import Raw, context

PASSWORD: Final = "a rose by any other name"
_numbers = itertools.count(1)


class Cast:
    """Accounts that no other test knows, by the names that the test calls them."""

    def __init__(self, deployment: Deployment, trusted: ssl.SSLContext) -> None:
        self.deployment = deployment
        self.trusted = trusted
        self._accounts: dict[str, str] = {}
        self._clients: list[Client] = []
        self._raw: list[Raw] = []

    def account(self, name: str, host: str = CAPULET) -> str:
        """Return the bare JID of somebody, who is registered when first asked for."""
        jid = self._accounts.get(name)
        if jid is None:
            jid = self._accounts[name] = self.stranger(name, host)
            self.deployment.admin("account", "add", jid=jid, password=PASSWORD)
        return jid

    def stranger(self, name: str, host: str = CAPULET) -> str:
        """Return a bare JID that nobody has registered."""
        return f"{name}-{next(_numbers)}@{host}"

    # slixmpp

    def client(self, jid: str, *, password: str = PASSWORD, **settings: Any) -> Client:
        """Return a client that has not connected yet."""
        client = Client(jid, password, self.trusted, **settings)
        self._clients.append(client)
        return client

    async def connected(
        self, name: str, resource: str = "orchard", *, host: str = CAPULET, role: str = "starttls", **settings: Any
    ) -> Client:
        """Return a session that has sent no presence."""
        client = self.client(f"{self.account(name, host)}/{resource}", **settings)
        await client.logs_in(self.deployment.place(role), direct=role == "direct")
        return client

    async def online(
        self, name: str, resource: str = "orchard", *, priority: int | None = None, **options: Any
    ) -> Client:
        """Return a session that has sent initial presence."""
        client = await self.connected(name, resource, **options)
        await client.comes_online(priority)
        return client

    async def friends(self, one: Client, other: Client) -> None:
        """Let two clients see each other; what that brings is dropped."""
        for subscriber, contact in ((one, other), (other, one)):
            subscriber.send_presence_subscription(contact.boundjid.bare, ptype="subscribe")
            while (await contact.presence())["type"] != "subscribe":
                pass
            contact.send_presence_subscription(subscriber.boundjid.bare, ptype="subscribed")
            while (await subscriber.presence())["type"] != "available":
                pass
        for client in (one, other):
            await client.barrier()
            client.forgets()

    # Raw XML

    @property
    def files(self) -> list[Path]:
        """The certificates that the hosts show."""
        return [self.deployment.folder / f"{host}.crt" for host in HOSTS]

    def context(self, trusted: Sequence[Path] = (), **options: Any) -> SSL.Context:
        """Return what a raw client does its handshake with; unless told otherwise it trusts the hosts as they are."""
        return context(trusted or self.files, **options)

    async def raw(self, role: str = "starttls", source: str = "127.0.0.1", buffer: int | None = None) -> Raw:
        """Return a connection on which nothing was said yet."""
        raw = await Raw.connects(self.deployment.place(role), source, buffer)
        self._raw.append(raw)
        return raw

    async def secured(self, host: str = CAPULET, role: str = "starttls", **options: Any) -> Raw:
        """Return a connection with TLS and an open stream, where authentication is due."""
        raw = await self.raw(role, options.pop("source", "127.0.0.1"), options.pop("buffer", None))
        if role == "direct":
            await raw.begins_tls(self.context(**options), host)
        else:
            await raw.opens(host)
            await raw.starts_tls(self.context(**options), host)
        return raw

    async def session(self, name: str, host: str = CAPULET, **options: Any) -> Raw:
        """Return a raw session that has sent no presence."""
        jid = self.account(name, host)
        raw = await self.secured(host, **options)
        await raw.opens(host)
        assert await raw.authenticates("SCRAM-SHA-1", jid.partition("@")[0], PASSWORD) == "success"
        await raw.binds(host)
        return raw

    async def leaves(self) -> None:
        """End all connections."""
        ending = [*(client.leaves() for client in self._clients), *(raw.closes() for raw in self._raw)]
        await asyncio.gather(*ending)
