"""The order of what one stream sends while some of it waits."""

from twisted.internet.defer import Deferred

from xmppd.core.gate import MOST_BYTES, MOST_STANZAS, Barrier, Gate


class Noted:
    """A step that notes that it was done."""

    def __init__(
        self, name: str, done: list[str], *, is_ready: bool = True, waits: "Deferred[None] | None" = None
    ) -> None:
        self.name = name
        self.is_ready = is_ready
        self._done = done
        self._waits = waits

    async def run(self) -> None:
        if self._waits is not None:
            await self._waits
        self._done.append(self.name)


class TestLane:
    """What is for one address."""

    def test_nothing_overtakes(self) -> None:
        """A step that is ready waits behind one that is not."""
        done: list[str] = []
        gate = Gate()
        lane = gate.open_lane("juliet@capulet.example")
        first = Noted("first", done, is_ready=False)
        lane.push(first)
        lane.push(Noted("second", done))
        lane.advance()
        assert done == []
        first.is_ready = True
        lane.advance()
        assert done == ["first", "second"]

    def test_a_step_may_take_its_time(self) -> None:
        """What a step waits for, those behind it wait for, too; whoever asks again meanwhile changes nothing."""
        done: list[str] = []
        waits: Deferred[None] = Deferred()
        lane = Gate().open_lane("juliet@capulet.example")
        lane.push(Noted("first", done, waits=waits))
        lane.push(Noted("second", done))
        lane.advance()
        lane.advance()
        assert done == []
        waits.callback(None)
        assert done == ["first", "second"]

    def test_an_empty_lane_is_gone(self) -> None:
        """Where nothing waits nothing is held."""
        gate = Gate()
        lane = gate.open_lane("juliet@capulet.example")
        lane.push(Noted("only", []))
        assert gate.lane_of("juliet@capulet.example") is lane
        assert gate.waits
        lane.advance()
        assert gate.lane_of("juliet@capulet.example") is None
        assert not gate.waits


class TestBarrier:
    """What must be behind everything."""

    def test_it_is_behind_all_lanes(self) -> None:
        """It is done once, when every lane has come to it."""
        done: list[str] = []
        gate = Gate()
        slow = Noted("slow", done, is_ready=False)
        for peer, step in (("juliet@capulet.example", slow), ("nurse@capulet.example", Noted("quick", done))):
            gate.open_lane(peer).push(step)
        lanes = gate.lanes()
        Barrier(lanes, Noted("behind", done))
        for lane in lanes:
            lane.advance()
        assert done == ["quick"]
        slow.is_ready = True
        for lane in lanes:
            lane.advance()
        assert done == ["quick", "slow", "behind"]
        assert not gate.waits


class TestSettlement:
    """How many stanzas are settled."""

    def test_all_that_was_handled(self) -> None:
        """A stanza that nothing waits for is settled when it was handled."""
        gate = Gate()
        gate.received += 1
        assert gate.settled == 1

    def test_none_behind_one_that_is_not(self) -> None:
        """What is settled counts only with all before it."""
        gate = Gate()
        gate.received += 1
        first = gate.begin()
        gate.received += 1
        second = gate.begin()
        gate.received += 1
        assert gate.settled == 1
        gate.settle(second)
        assert gate.settled == 1
        gate.settle(first)
        assert gate.settled == 3

    def test_not_what_is_being_handled(self) -> None:
        """A stanza whose handler is at work is not settled, whatever was settled meanwhile."""
        gate = Gate()
        gate.settle(gate.begin())
        assert gate.settled == 0

    def test_settled_is_more_than_out_of_the_lanes(self) -> None:
        """A message that has been delivered may lack its sender's copy."""
        gate = Gate()
        number = gate.begin()
        gate.received += 1
        assert not gate.waits
        assert not gate.is_settled
        gate.settle(number)
        assert gate.is_settled

    def test_somebody_is_told(self) -> None:
        """Whoever acknowledges learns that more can be."""
        told: list[int] = []
        gate = Gate()
        gate.told = lambda: told.append(gate.settled)
        number = gate.begin()
        gate.received += 1
        gate.settle(number)
        assert told == [1]


class TestRoom:
    """How much one session may have under way."""

    def test_it_waits_when_it_has_enough(self) -> None:
        """What is too much waits until something is settled."""
        gate = Gate()
        number = gate.begin(MOST_BYTES)
        assert gate.room() is None
        gate.received += 1
        gate.settle(number)
        large = gate.begin(MOST_BYTES + 1)
        room = gate.room()
        assert room is not None
        assert not room.called
        gate.settle(large)
        assert room.called
        assert gate.weight == 0

    def test_many_small_ones_are_enough_too(self) -> None:
        """Whatever their size."""
        gate = Gate()
        for _ in range(MOST_STANZAS + 1):
            gate.begin()
            gate.received += 1
        assert gate.is_full
