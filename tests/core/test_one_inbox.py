"""What is known of one account's log."""

from xmppd.core.message_log import ARCHIVE, WAIT
from xmppd.core.one_inbox import Inbox
from xmppd.protocol.jid import Jid

BOTH = ARCHIVE | WAIT


def inbox(upto: int = 0) -> Inbox:
    made = Inbox(Jid.parse("juliet@capulet.example"))
    made.upto = upto
    return made


def test_a_row_that_waits() -> None:
    """It is open until it is delivered."""
    one = inbox()
    one.add(1, BOTH)
    assert one.open == {1}
    one.close(1)
    assert one.open == set()


def test_a_row_that_is_delivered_before_it_is_known() -> None:
    """It is never open."""
    one = inbox(upto=1)
    one.close(2)
    assert one.ahead == {2}
    one.add(2, BOTH)
    assert (one.open, one.ahead) == (set(), set())


def test_a_row_that_is_delivered_twice() -> None:
    """By two resources: the second tells nothing new."""
    one = inbox(upto=1)
    one.add(1, BOTH)
    one.close(1)
    one.close(1)
    assert (one.open, one.ahead) == (set(), set())


def test_rows_of_no_archive() -> None:
    """They are to be removed once they are delivered, sooner or later than they are known."""
    one = inbox()
    one.add(1, WAIT)
    assert one.gone == []
    one.close(1)
    one.close(2)
    one.add(2, WAIT)
    assert one.gone == [1, 2]
    assert one.transient == set()
