"""Golden files: README's table of XEPs, conf/xmppd.toml and the order of the hooks are what the code declares."""

from pathlib import Path

import pytest

from xmppd.app.docs import ROOT, outputs


@pytest.mark.parametrize("name", ["README.md", "conf/xmppd.toml", "tests/golden/hook_order.txt"])
def test_generated_file(name: str) -> None:
    """`make docs` would change nothing."""
    file = ROOT / Path(name)
    assert file.read_text(encoding="utf-8") == outputs()[file], f"{name} is not up to date: run make docs"
