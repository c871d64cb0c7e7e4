"""What a client's stream is offered (RFC 6120, 4.3.2): STARTTLS, mechanisms, resource binding, and what modules add.

SASL2 (XEP-0388) is offered where secrets may pass, with the same mechanisms; what can be asked for with it, modules
say.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..protocol import bind2, fast, sasl2
from ..protocol.element import E, Element
from ..protocol.names import BIND, SASL, TLS
from ..protocol.sasl import channel_binding, choice
from ..protocol.scram_upgrade import task_of
from ..protocol.stream import features_element
from .client_context import ClientContext
from .events import InlineFeatures, StreamFeatures
from .host import Host
from .offers import Offer

if TYPE_CHECKING:
    from .client_stream import ClientStream

STARTTLS_REQUIRED: Final = E(f"{{{TLS}}}starttls", E(f"{{{TLS}}}required"))
STARTTLS_OPTIONAL: Final = E(f"{{{TLS}}}starttls")
BIND_FEATURE: Final = E(f"{{{BIND}}}bind")


NO_BINDINGS: Final[Mapping[str, bytes]] = {}


async def offer(
    driver: "ClientStream", context: ClientContext, host: Host, *, authenticated: bool, bound: bool = False
) -> Offer:
    """Return what a stream to `host` is offered; most streams are offered what one before them was.

    :param bound: whether the client has a resource already.
    """
    connection = driver.connection
    secure = connection.secure
    bindings, verified = NO_BINDINGS, False
    if secure and not authenticated:
        bindings, verified = connection.channel_bindings(), connection.peer_certificate_verified()
    # all that features and mechanisms depend on but the modules, whose coming and going the offers see themselves
    key = (
        host.name, host.anonymous, authenticated, bound, secure, verified, driver.tls_allowed, driver.tls_required,
        driver.scram_without_tls, *bindings,
    )  # fmt: skip
    known = context.offers.get(key)
    if known is not None:
        return known
    mechanisms = [] if authenticated or not (secure or not driver.tls_required) else _mechanisms(driver, host, bindings)
    inline = None
    if mechanisms and may_tell_secrets(driver):
        inline = await context.hooks.collect(InlineFeatures(host, secure, tuple(bindings)))
    behind = [] if bound else [BIND_FEATURE]
    own = behind if authenticated else _own(driver, mechanisms, bindings, inline)
    event = StreamFeatures(host, authenticated, may_tell_secrets(driver), own)
    features = features_element((await context.hooks.collect(event)).features)
    return context.offers.keep(
        key, Offer(features, tuple(mechanisms), inline if inline and inline.is_offered else None)
    )


def _own(
    driver: "ClientStream", mechanisms: list[str], bindings: Mapping[str, bytes], inline: InlineFeatures | None
) -> list[Element]:
    """Return the features that lead to an authentication, and XEP-0440's beside the mechanisms that it is about."""
    features = []
    if not driver.connection.secure and driver.tls_allowed:
        features.append(STARTTLS_REQUIRED if driver.tls_required else STARTTLS_OPTIONAL)
    if mechanisms:
        features.append(E(f"{{{SASL}}}mechanisms", *[E(f"{{{SASL}}}mechanism", name) for name in mechanisms]))
        if inline is not None and inline.is_offered:
            features.append(_authentication(mechanisms, inline))
        features.extend(filter(None, [channel_binding.feature(bindings)]))
    return features


def _authentication(mechanisms: list[str], inline: InlineFeatures) -> Element:
    """Return the feature of SASL2."""
    offered = list(inline.inline)
    if inline.binds:
        offered.append(bind2.feature(inline.bind))
    if inline.tokens:
        offered.append(fast.feature(inline.tokens))
    return sasl2.feature(mechanisms, offered, map(task_of, inline.upgrades))


def _mechanisms(driver: "ClientStream", host: Host, bindings: Mapping[str, bytes]) -> list[str]:
    """Return what the client may authenticate by; nothing if there is nothing."""
    connection = driver.connection
    return choice.offered(
        tls=connection.secure,
        channel_bindings=bindings,
        client_certificate=connection.peer_certificate_verified(),
        anonymous=host.anonymous,
        scram_without_tls=driver.scram_without_tls,
    )


def may_tell_secrets(driver: "ClientStream") -> bool:
    """Say whether a client may send secrets: under TLS, or where the port was told to do without."""
    return driver.connection.secure or (driver.scram_without_tls and not driver.tls_required)
