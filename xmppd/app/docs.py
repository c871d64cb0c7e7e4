"""What is written from the code: README's table of XEPs, conf/xmppd.toml, and the order of the hooks.

``make docs`` writes them anew; golden tests hold them, so that every change to what modules declare shows in review.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import xmppd.modules

from ..config.sample import sample
from ..core.discovery import config_of, discover
from ..core.hooks import Registration, marked
from ..core.iq import Answer
from ..core.module import Module, Xep

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
SAMPLE: Final = ROOT / "conf" / "xmppd.toml"
HOOKS: Final = ROOT / "tests" / "golden" / "hook_order.txt"
BEGIN: Final = "<!-- xeps -->"
END: Final = "<!-- /xeps -->"
TITLES: Final = {
    4: "Data Forms",
    12: "Last Activity",
    30: "Service Discovery",
    50: "Ad-Hoc Commands",
    59: "Result Set Management",
    77: "In-Band Registration",
    92: "Software Version",
    115: "Entity Capabilities",
    128: "Service Discovery Extensions",
    133: "Service Administration",
    157: "Contact Addresses for XMPP Services",
    160: "Best Practices for Handling Offline Messages",
    191: "Blocking Command",
    198: "Stream Management",
    199: "XMPP Ping",
    202: "Entity Time",
    203: "Delayed Delivery",
    237: "Roster Versioning",
    280: "Message Carbons",
    297: "Stanza Forwarding",
    313: "Message Archive Management",
    334: "Message Processing Hints",
    352: "Client State Indication",
    359: "Unique and Stable Stanza IDs",
    386: "Bind 2",
    388: "Extensible SASL Profile",
    424: "Message Retraction",
    440: "SASL Channel-Binding Type Capability",
    441: "Message Archive Management Preferences",
    474: "SASL SCRAM Downgrade Protection",
    478: "Stream Limits Advertisement",
    480: "SASL Upgrade Tasks",
    484: "Fast Authentication Streamlining Tokens",
    494: "Client Access Management",
}
CORE_XEPS: Final = (
    (Xep(4, "2.13.1"), "protocol/dataforms.py"),
    (Xep(59, "1.0", leaves_out="pages by index"), "protocol/rsm.py"),
    (Xep(203, "2.0"), "protocol/delay.py"),
    (Xep(297, "1.0"), "protocol/forward.py"),
    (Xep(440, "1.0.0"), "protocol/sasl"),
    (Xep(474, "0.5.0"), "protocol/sasl"),
)
"""Specifications that many modules or the stream itself need, and so are no modules."""


def known_modules() -> dict[str, type[Module]]:
    """Return the modules that come with the server, by name."""
    return {
        name: cls
        for name, cls in discover(xmppd.modules).items()
        if cls.__module__.startswith(f"{xmppd.modules.__name__}.")
    }


def xep_table(modules: Mapping[str, type[Module]]) -> str:
    """Return the table of implemented XEPs, in Markdown."""
    rows = list(CORE_XEPS)
    for cls in modules.values():
        place = cls.__module__.removeprefix("xmppd.").replace(".", "/")
        rows.extend((xep, place) for xep in cls.xeps)
    rows.sort(key=lambda row: row[0].number)
    lines = ["| XEP | title | version | where | left out |", "| --- | --- | --- | --- | --- |"]
    for xep, place in rows:
        lines.append(
            f"| {xep.number:04d} | {TITLES[xep.number]} | {xep.version} | `{place}` | {xep.leaves_out or xep.note} |"
        )
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """Return README with the table between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def sample_text(modules: Mapping[str, type[Module]]) -> str:
    """Return conf/xmppd.toml: every option of the server and of its modules."""
    return sample({name: config_of(cls) for name, cls in sorted(modules.items())})


def hook_order(modules: Mapping[str, type[Module]]) -> str:
    """Return who handles what in which order: events by phase, then IQs."""
    return "\n".join([*_hooks(modules.values()), "", *_iqs(modules.values()), ""])


def _hooks(classes: Iterable[type[Module]]) -> list[str]:
    found: list[tuple[str, int, str, str]] = []
    for cls in classes:
        for method, mark in marked(cls, "__xmppd_hooks__"):
            registration: Registration = mark
            handler = f"{cls.name}.{method.__name__}"
            phase = registration.phase
            found.append((registration.event.__name__, phase or 0, phase.name if phase else "", handler))
    return [f"{event} {phase} {handler}".replace("  ", " ") for event, _, phase, handler in sorted(found)]


def _iqs(classes: Iterable[type[Module]]) -> list[str]:
    found: list[str] = []
    for cls in classes:
        for method, mark in marked(cls, "__xmppd_iqs__"):
            answer: Answer = mark
            found.append(f"iq {answer.type} {answer.name} to {answer.target}: {cls.name}.{method.__name__}")
    return sorted(found)


def outputs() -> dict[Path, str]:
    """Return every generated file and what it should hold."""
    modules = known_modules()
    return {
        README: with_table(README.read_text(encoding="utf-8"), xep_table(modules)),
        SAMPLE: sample_text(modules),
        HOOKS: hook_order(modules),
    }


def main() -> int:
    """Write what has changed; say what was written."""
    for file, text in outputs().items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")  # noqa: T201  # a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
