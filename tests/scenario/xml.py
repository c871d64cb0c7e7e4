"""Comparing XML as the specifications mean it: names, attributes, text and order of children; no white space between."""

import re
from xml.etree import ElementTree as ET

HEADER = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
SLOT = re.compile(r"\{([a-z_]+)\}")


def parse(text: str) -> ET.Element:
    """Parse one stanza as it stands inside a client's stream."""
    return ET.fromstring(f"{HEADER}{text.strip()}</stream:stream>")[0]


def show(element: ET.Element) -> str:
    """Return an element indented, for messages."""
    copy = ET.fromstring(ET.tostring(element))
    ET.indent(copy)
    return ET.tostring(copy, encoding="unicode").replace("ns0:", "").replace("ns0", "")


def differences(expected: ET.Element, got: ET.Element, captured: dict[str, str], path: str = "") -> list[str]:
    """Return how `got` differs from `expected`; enter what was captured."""
    path = f"{path}/{expected.tag.rpartition('}')[2]}"
    if expected.tag != got.tag:
        return [f"{path}: expected {expected.tag}, got {got.tag}"]
    found = []
    for name in sorted({*expected.attrib, *got.attrib}):
        found += _value(f"{path}@{name}", expected.get(name), got.get(name), captured)
    found += _value(f"{path} text", (expected.text or "").strip(), (got.text or "").strip(), captured)
    if len(expected) != len(got):
        names = [child.tag for child in got]
        return [*found, f"{path}: expected {len(expected)} children, got {len(got)}: {names}"]
    for one, two in zip(expected, got, strict=True):
        found += differences(one, two, captured, path)
    return found


def _value(where: str, expected: str | None, got: str | None, captured: dict[str, str]) -> list[str]:
    slot = SLOT.fullmatch(expected) if expected is not None else None
    if slot is None:
        return [] if expected == got else [f"{where}: expected {expected!r}, got {got!r}"]
    if got is None:
        return [f"{where}: expected something, got nothing"]
    if slot[1] == "any":
        return []
    known = captured.setdefault(slot[1], got)
    return [] if known == got else [f"{where}: expected {slot[0]} = {known!r}, got {got!r}"]
