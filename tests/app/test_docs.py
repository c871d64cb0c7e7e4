"""What is generated from the code: that it says what modules declare, and that only what has changed is written."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from xmppd.app import docs
from xmppd.core.events import OutboundMessage, SessionBound
from xmppd.core.hooks import Phase, notice, on
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep


class Greeter(Module):
    """A module with a bit of everything."""

    name: ClassVar = "greeter"
    xeps: ClassVar = (Xep(199, "2.0", leaves_out="the answer"), Xep(12, "1.0"))

    @on(OutboundMessage, Phase.COPY)
    async def copy(self, event: OutboundMessage) -> None: ...

    @on(OutboundMessage, Phase.GUARD)
    async def refuse(self, event: OutboundMessage) -> None: ...

    @notice(SessionBound)
    async def greet(self, event: SessionBound) -> None: ...

    @iq("get", "{urn:x}a", Target.HOST)
    async def answer(self, request: IqRequest) -> None: ...


MODULES: dict[str, type[Module]] = {"greeter": Greeter}


def test_the_table_is_sorted_by_number() -> None:
    """Those of the core and those of modules, each with its place and what it leaves out."""
    rows = docs.xep_table(MODULES).splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        f"| {number}" for number in ("0004", "0012", "0059", "0199", "0203", "0297", "0440", "0474")
    ]
    assert rows[3] == "| 0199 | XMPP Ping | 2.0 | `tests/app/test_docs` | the answer |"


def test_every_xep_of_ours_has_a_title() -> None:
    """No module declares one that the table has no name for, and no name is for nothing."""
    declared = {xep.number for cls in docs.known_modules().values() for xep in cls.xeps}
    assert declared | {xep.number for xep, _ in docs.CORE_XEPS} == set(docs.TITLES)


def test_known_modules_are_ours() -> None:
    """What somebody else has installed does not get into our documents."""
    found = docs.known_modules()
    assert {"roster", "presence", "messages"} <= set(found)
    assert all(cls.__module__.startswith("xmppd.modules.") for cls in found.values())


def test_the_order_of_hooks_is_that_of_phases() -> None:
    """By event, phase and name; what has no phase has none; then the IQs."""
    assert docs.hook_order(MODULES).splitlines() == [
        "OutboundMessage GUARD greeter.refuse",
        "OutboundMessage COPY greeter.copy",
        "SessionBound greeter.greet",
        "",
        "iq get {urn:x}a to host: greeter.answer",
    ]


def test_the_table_stands_between_its_marks() -> None:
    """What is around it stays; what was there before goes."""
    readme = f"before\n{docs.BEGIN}\nold\n{docs.END}\nafter\n"
    assert docs.with_table(readme, "new") == f"before\n{docs.BEGIN}\nnew\n{docs.END}\nafter\n"


def test_the_sample_has_every_module() -> None:
    """Also one without options may be disabled, and one with options has its table."""
    text = docs.sample_text(docs.known_modules())
    assert "[modules.register]" in text


def test_only_what_has_changed_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make docs` a second time has nothing to say."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("as it was")
    wanted: dict[Path, Any] = {old: "as it was", new: "written"}
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "outputs", lambda: wanted)
    assert docs.main() == 0
    assert capsys.readouterr().out == "wrote new\n"
    assert new.read_text() == "written"
    assert docs.main() == 0
    assert capsys.readouterr().out == ""
