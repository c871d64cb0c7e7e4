"""What the road of a message costs: that what is measured works."""

import pytest

from bench import road
from bench.road import ROUND, Pair, Way
from xmppd.config.server import Store


@pytest.mark.parametrize("store", [Store.NEVER, Store.ALWAYS])
@pytest.mark.parametrize("acknowledges", [True, False])
@pytest.mark.parametrize("together", [1, 20])
def test_every_message_arrives(store: Store, acknowledges: bool, together: int) -> None:
    """In each round anew, and nothing is left that nobody has acknowledged."""
    pair = Pair(store, acknowledges)
    for _ in range(2):
        assert pair.round(together) > 0
        assert pair.messages() == ROUND
    managed = pair.juliet.driver.managed
    assert (managed is not None) is acknowledges
    assert managed is None or not managed.outgoing.queue


def test_loss_is_no_result() -> None:
    """A way on which messages vanish costs little, and is refused."""
    way = Way("lossy", Pair(Store.NEVER), 20)
    way.pair.juliet.sends("<presence type='unavailable'/>")
    with pytest.raises(RuntimeError, match="0 of 100 messages arrived"):
        way.go()


def test_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each way."""
    monkeypatch.setattr("sys.argv", ["road", "--rounds", "1"])
    assert road.main() == 0
    shown = capsys.readouterr().out
    assert [name for name in ("never", "acknowledged", "always", "one by one") if name not in shown] == []
