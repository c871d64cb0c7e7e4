"""XEP-0092: Software Version: what server this is."""

from dataclasses import dataclass
from typing import ClassVar

import xmppd
from xmppd.config.schema import option
from xmppd.config.server import Config as ServerConfig
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.protocol.element import E, Element

NS = "jabber:iq:version"


@dataclass(slots=True)
class Config:
    """What is told."""

    show_version: bool = option(True, live=True, help="Whether to tell which release of xmppd this is.")
    os: str = option("", live=True, help="The operating system to name; nothing is told if empty.")


@dataclass(slots=True)
class Version(Module):
    """Tells name and version of the server."""

    name: ClassVar = "version"
    xeps: ClassVar = (Xep(92, "1.1"),)
    features: ClassVar = (NS,)

    config: Config
    server: ServerConfig

    @iq("get", f"{{{NS}}}query", Target.HOST)
    async def tell(self, request: IqRequest) -> Element:
        """Protocol: name and version are required, os is not."""
        return E(
            f"{{{NS}}}query",
            E(f"{{{NS}}}name", self.server.server.name),
            E(f"{{{NS}}}version", xmppd.__version__ if self.config.show_version else "unknown"),
            E(f"{{{NS}}}os", self.config.os) if self.config.os else None,
        )
