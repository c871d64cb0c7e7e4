"""Games with the log: whatever happens, acknowledgements, archives and deliveries agree at the end."""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from .house import JULIET, ROMEO, House

GAMES = int(os.environ.get("XMPPD_ONE_LOG", "0"))
BURSTS = st.integers(1, 6)


class Game(RuleBasedStateMachine):
    """Anything may happen in any order."""

    house: House

    @initialize(is_split=st.booleans())
    def begins(self, is_split: bool) -> None:
        self.house = House(is_split=is_split)
        self.house.romeo.logs_in()

    # Romeo

    @precondition(lambda self: self.house.romeo.is_live)
    @rule(count=BURSTS, has_origin_id=st.booleans())
    def romeo_says(self, count: int, has_origin_id: bool) -> None:
        for _ in range(count):
            self.house.romeo.says(JULIET, has_origin_id=has_origin_id)
        self.house.romeo.asks()
        self.house.listens()

    @precondition(lambda self: self.house.romeo.is_live)
    @rule()
    def romeo_types(self) -> None:
        self.house.romeo.types(JULIET)
        self.house.listens()

    @precondition(lambda self: self.house.romeo.is_live)
    @rule()
    def romeo_tries_again(self) -> None:
        """What was refused, and never lost."""
        lines = self.house.ledger.lines.values()
        for line in [each for each in lines if each.sender == ROMEO and each.is_refused and not each.is_doubtful][:3]:
            self.house.romeo.says_again(line)
        self.house.listens()

    @precondition(lambda self: self.house.romeo.client is not None)
    @rule()
    def romeo_loses_connection(self) -> None:
        self.house.romeo.loses_connection()
        self.house.listens()

    @precondition(lambda self: self.house.romeo.client is None)
    @rule(anew=st.booleans())
    def romeo_comes_back(self, anew: bool) -> None:
        if self.house.romeo.can_resume and not anew:
            self.house.romeo.resumes()
        else:
            self.house.romeo.logs_in()
        self.house.listens()

    # The phone

    @precondition(lambda self: self.house.phone.client is None)
    @rule(anew=st.booleans())
    def phone_comes(self, anew: bool) -> None:
        if self.house.phone.can_resume and not anew:
            self.house.phone.resumes()
        else:
            self.house.phone.logs_in()
        self.house.listens()

    @precondition(lambda self: self.house.phone.client is not None)
    @rule()
    def phone_loses_connection(self) -> None:
        self.house.phone.loses_connection()
        self.house.listens()

    @precondition(lambda self: self.house.phone.is_live)
    @rule(answers=st.booleans())
    def phone_is_busy(self, answers: bool) -> None:
        self.house.phone.answers = answers
        if answers:
            self.house.phone.answers_now()

    @precondition(lambda self: self.house.phone.is_live)
    @rule(priority=st.sampled_from((-1, 0, 5)))
    def phone_shows_itself(self, priority: int) -> None:
        self.house.phone.shows_itself(priority)
        self.house.listens()

    @precondition(lambda self: self.house.phone.is_live)
    @rule(count=BURSTS)
    def phone_says(self, count: int) -> None:
        for _ in range(count):
            self.house.phone.says(ROMEO)
        self.house.phone.asks()
        self.house.listens()

    @precondition(lambda self: self.house.phone.can_resume and not self.house.time_outs)
    @rule()
    def phone_times_out(self) -> None:
        """For eleven minutes nobody resumes its session; the others are there. Who repeats later is not recognised."""
        self.house.time_outs += 1
        for _ in range(22):
            self.house.passes(30)

    # The laptop

    @precondition(lambda self: self.house.laptop.client is None)
    @rule()
    def laptop_comes(self) -> None:
        self.house.laptop.logs_in()
        self.house.listens()

    @precondition(lambda self: self.house.laptop.client is not None)
    @rule()
    def laptop_leaves(self) -> None:
        self.house.laptop.logs_out()
        self.house.listens()

    @precondition(lambda self: self.house.laptop.client is not None)
    @rule()
    def laptop_reads_archive(self) -> None:
        self.house.archive(self.house.laptop)

    # The log

    @rule()
    def commits_are_not_told(self) -> None:
        self.house.server.log.hold()

    @rule(number=st.integers(1, 4))
    def some_commits_are_told(self, number: int) -> None:
        log = self.house.server.log
        log.release(min(number, len(log.held)))
        self.house.listens()

    @rule()
    def reads_take_long(self) -> None:
        self.house.server.log.hold_reads()

    @rule(number=st.integers(1, 4))
    def some_reads_end(self, number: int) -> None:
        log = self.house.server.log
        log.release_reads(min(number, len(log.held_reads)))
        self.house.listens()

    @rule()
    def log_breaks_down(self) -> None:
        self.house.breaks_down()

    @rule()
    def log_recovers(self) -> None:
        self.house.recovers()
        self.house.listens()

    @rule(seconds=st.integers(1, 40))
    def time_passes(self, seconds: int) -> None:
        self.house.passes(seconds)

    @precondition(lambda self: not self.house.crashes)
    @rule()
    def node_dies(self) -> None:
        """Once in a game, as a new node takes longer than all the rest."""
        self.house.dies()

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        self.house.settles()
        self.house.agrees()


TestOneLog = Game.TestCase
TestOneLog.settings = settings(
    max_examples=GAMES or 100,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate],  # a game that fails is told as it was played: to shorten it takes minutes
    derandomize=not GAMES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
