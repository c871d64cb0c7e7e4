"""The pictures."""

from pathlib import Path

from bench.plot import bars, colour, plot
from bench.summary import lines

from .records import RECORDS


def test_the_pictures_are_written(tmp_path: Path) -> None:
    """PNG files; a server without a figure leaves its place empty."""
    plot(tmp_path / "cost.png", "title", lines(RECORDS, ["xmppd", "ejabberd"]), ["xmppd", "ejabberd"])
    bars(tmp_path / "bars.png", "title", [("one", 60.0), ("two", 40.0)])
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")


def test_our_colour_is_ours_alone() -> None:
    """Whatever servers are shown."""
    servers = ["prosody", "xmppd", "ejabberd"]
    assert len({colour(server, servers) for server in servers}) == 3
    assert colour("xmppd", ["xmppd"]) == colour("xmppd", servers)
