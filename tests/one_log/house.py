"""The server, its people, and what must be true of them."""

from collections.abc import Sequence

from tests.scenario.server import Server
from xmppd.core.message_log import StorageUnavailable, id_at
from xmppd.protocol.jid import Jid

from .ledger import Ledger, Line
from .talker import Heard, Talker

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
ELSEWHERE = ("adhoc", "administration", "announcements", "client_access", "disco", "fast", "last_activity", "register")
"""Modules that have nothing to do with messages: without them a node starts faster."""

SWEEP = 31
PATIENCE = 20
"""How many times a device asks how much was handled, at most, until everything is."""


class House:
    """Juliet with her phone, whose sessions outlive its connections, and her laptop, whose do not; and Romeo.

    :param is_split: whether their logs are on different shards.
    """

    def __init__(self, *, is_split: bool = False) -> None:
        self.ledger = Ledger()
        self.server = Server(disable=ELSEWHERE)
        self.is_split = is_split
        self.server.log.is_split = is_split
        for account in (JULIET, ROMEO):
            self.server.account(account)
        self.phone = Talker(self.server, self.ledger, f"{JULIET}/phone", is_managed=True)
        self.laptop = Talker(self.server, self.ledger, f"{JULIET}/laptop", is_managed=False)
        self.romeo = Talker(self.server, self.ledger, f"{ROMEO}/orchard", is_managed=True)
        self.crashes = self.time_outs = 0

    @property
    def talkers(self) -> Sequence[Talker]:
        return (self.romeo, self.phone, self.laptop)

    def listens(self) -> None:
        """Let everybody read what has come, and note who must hear what was acknowledged."""
        for talker in self.talkers:
            talker.listens()
        for line in self.ledger.lines.values():
            if line.is_accepted:
                self._expect(line)

    def _expect(self, line: Line) -> None:
        """A line that was acknowledged must be heard by all devices that were reachable when it was sent."""
        for talker in self.talkers:
            since = talker.sitting.reachable_since
            concerns = line.recipient == talker.account or (line.sender == talker.account and talker is self.laptop)
            if concerns and since is not None and since < line.number:
                talker.sitting.due.add(line.text)

    # Harm

    def breaks_down(self) -> None:
        """The storage of messages does not answer."""
        self.server.log.fail(StorageUnavailable("the log is down"))
        self.server.log.fail_reads(StorageUnavailable("the log is down"))

    def passes(self, seconds: int) -> None:
        """Let time pass. Nobody waits for a commit for longer than ten seconds: then it is told, or refused."""
        if seconds > 9:
            log = self.server.log
            log.release(len(log.held))
        self.server.advance(seconds)
        self.listens()

    def recovers(self) -> None:
        """All is well again, and everybody hears of what was committed."""
        log = self.server.log
        log.fail(None)
        log.fail_reads(None)
        while log.held or log.held_reads:
            log.release()
            log.release_reads()
            self.server.run()
        log.release()
        log.release_reads()
        self.server.run()

    def dies(self) -> None:
        """The node dies, and another one begins."""
        self.server.dies()
        self.server.begins_anew()
        self.server.log.is_split = self.is_split
        self.crashes += 1
        for talker in self.talkers:
            talker.loses_everything()

    # The end of the day

    def settles(self) -> None:
        """Bring everybody online, and wait until everything is said and heard."""
        self.recovers()
        self.listens()
        for talker in self.talkers:
            talker.answers = True
            if talker.client is None:
                talker.logs_in()
            elif talker.sitting.reachable_since is None:
                talker.shows_itself()
        for _ in range(PATIENCE):
            for talker in self.talkers:
                talker.asks()
                talker.answers_now()
            self.server.advance(1)
            self.listens()
        self.server.advance(2 * SWEEP)
        for talker in self.talkers:
            talker.answers_now()
        self.server.advance(2)
        self.listens()

    def archive(self, talker: Talker) -> dict[str, str]:
        """Return a whole archive, ids by texts; every text must be there once, and ids must grow."""
        rows = talker.reads_archive()
        texts = [text for _, text in rows]
        assert len(set(texts)) == len(texts), f"{talker.account} has some twice: {texts}"
        ids = [int(id) for id, _ in rows]
        assert ids == sorted(set(ids)), "ids of an archive grow"
        return {text: id for id, text in rows}

    def agrees(self) -> None:
        """The three views agree: what senders were told, what archives show, what devices have heard."""
        archives = {JULIET: self.archive(self.laptop), ROMEO: self.archive(self.romeo)}
        for line in self.ledger.lines.values():
            self._agrees(line, archives)
        for talker in self.talkers:
            self._heard_well(talker, archives[talker.account])
        self._in_order(archives)
        self._nothing_waits()

    def _agrees(self, line: Line, archives: dict[str, dict[str, str]]) -> None:
        heard = [each for each in self._heard_by(line.recipient) if each.text == line.text]
        if line.is_accepted:
            assert line.text in archives[line.recipient], f"{line} was acknowledged, and is not received"
            assert line.text in archives[line.sender], f"{line} was acknowledged, and is not in its sender's archive"
        if line.text in archives[line.recipient]:
            assert heard, f"{line} is archived, and nobody has heard it"
        if line.is_refused and not self.is_split:
            assert not heard, f"{line} was refused, and is heard"
            for archive in archives.values():
                assert line.text not in archive, f"{line} was refused, and is archived"

    def _heard_by(self, account: str) -> list[Heard]:
        return [
            each
            for talker in self.talkers
            if talker.account == account
            for sitting in talker.sittings
            for each in sitting.heard
        ]

    def _heard_well(self, talker: Talker, archive: dict[str, str]) -> None:
        """Nothing is missing, nothing comes twice in a session, and ids are those of the archive."""
        for sitting in talker.sittings:
            missing = sitting.due - {each.text for each in sitting.heard}
            assert not missing, f"{talker.jid} has missed {missing}"
            for texts in (sitting.texts_of(is_copy=False), sitting.texts_of(is_copy=True)):
                assert len(set(texts)) == len(texts), f"{talker.jid} heard some twice: {texts}"
            for each in sitting.heard:
                assert archive.get(each.text) == each.id, (
                    f"{talker.jid} heard {each}, archived {archive.get(each.text)}"
                )
            live = [int(each.id) for each in sitting.heard if not each.is_late and not each.is_copy]
            assert live == sorted(live), f"{talker.jid} heard {sitting.heard} in disorder"

    def _in_order(self, archives: dict[str, dict[str, str]]) -> None:
        """RFC 6120, 10.1: what was sent once and taken is archived as it was sent."""
        for sender in (self.romeo, self.phone):
            lines = [line for line in self.ledger.lines.values() if line.sender == sender.account]
            lines = sorted(
                [line for line in lines if line.was_sent_once and line.is_accepted], key=lambda one: one.number
            )
            for archive in archives.values():
                ids = [int(archive[line.text]) for line in lines]
                assert ids == sorted(ids), f"what {sender.jid} said is archived in disorder"

    def _nothing_waits(self) -> None:
        """All is delivered, and the log knows it."""
        self.server.wait(self.server.log.flush())
        for account in (JULIET, ROMEO):
            assert self.server.wait(self.server.log.count_waiting(Jid.parse(account))) == 0, (
                f"{account} has some waiting"
            )
        for talker in self.talkers:
            gate = self.server.session(talker.jid).gate
            assert not gate.waits, "a lane is left"
            assert gate.settled == gate.received, "something is not settled"
            assert gate.weight == 0, "something has weight"

    @property
    def newest(self) -> int:
        """The highest id that a row can have now."""
        return id_at(self.server.clock.seconds() + 1)
