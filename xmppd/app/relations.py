"""What changes between an account and its contacts, in the words of RFC 6121, Appendix A."""

from collections.abc import Iterator

from ..modules.roster.api import Item, Roster


def changes(before: Roster, after: Roster) -> Iterator[str]:
    """Return a sentence for each contact of whom something is different."""
    contacts = {item.jid: None for roster in (before, after) for item in roster}
    for contact in contacts:
        old, new = before.item(contact), after.item(contact)
        if old == new:
            continue
        was, becomes = state(old), state(new)
        what = f"changes {was} -> {becomes}" if was != becomes else f"stays {becomes}, with other names or groups"
        yield f"the roster of {after.owner}: {contact} {what}"


def state(item: Item | None) -> str:
    """Return where an account and a contact stand, as Appendix A.1 calls it."""
    if item is None:
        return "None (not in the roster)"
    pending = [way for way, waits in (("Out", item.asks), ("In", item.request is not None)) if waits]
    name = item.subscription.capitalize() + (f" + Pending {'+'.join(pending)}" if pending else "")
    if item.approved:
        name += ", approved beforehand"
    return name if item.listed else f"{name} (not in the roster)"
