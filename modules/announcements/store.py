"""The store of announcements: what hosts tell, and which accounts were told.

A message of the day is claimed for an account before it is delivered, by one statement that succeeds once. So it is
seen once, however many resources come at the same time, on however many nodes.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from xmppd.core.shards import Shards
from xmppd.protocol.jid import Jid

from .tables import readers, texts

_HOST: Final = texts.c.owner == bindparam("host")
_TEXT: Final = (_HOST, texts.c.kind == bindparam("which"))
_READER: Final = readers.c.owner == bindparam("account")

LOAD: Final = select(texts.c.kind, texts.c.text, texts.c.number, texts.c.subject).where(_HOST)
ONE: Final = select(texts.c.text, texts.c.number).where(*_TEXT).with_for_update()
ADD: Final = insert(texts)
CHANGE: Final = (
    update(texts).where(*_TEXT).values(text=bindparam("new"), number=bindparam("now"), subject=bindparam("about"))
)
CLEAR: Final = update(texts).where(*_TEXT, texts.c.text != "").values(text="", subject="")

READ: Final = select(readers.c.motd, readers.c.welcome).where(_READER)
BEGIN: Final = insert(readers)
CLAIM: Final = (
    update(readers)
    .where(_READER, readers.c.motd == bindparam("seen"), readers.c.welcome == bindparam("due"))
    .values(motd=bindparam("now"), welcome=False)
)
FORGET: Final = delete(readers).where(_READER)


class Kind(StrEnum):
    """What a host tells."""

    MOTD = "motd"
    WELCOME = "welcome"


class Texts(NamedTuple):
    """What a host tells at present; an empty text is none.

    :ivar number: that of the message of the day; 0 if there is none.
    :ivar subject: that of the message of the day.
    """

    motd: str = ""
    number: int = 0
    welcome: str = ""
    subject: str = ""


class Due(NamedTuple):
    """What an account is to be told now."""

    motd: bool = False
    welcome: bool = False


class AnnouncementStore:
    """The `announcement_texts` and `announcement_readers` tables."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def texts(self, host: str) -> Texts:
        """Return what a host tells."""
        rows = await self._shards.fetch(host, "announcements.texts", LOAD, {"host": host})
        found = {kind: rest for kind, *rest in rows}
        motd, number, subject = found.get(Kind.MOTD, ("", 0, ""))
        return Texts(motd, number if motd else 0, found.get(Kind.WELCOME, ("", 0, ""))[0], subject)

    async def put(self, host: str, kind: Kind, text: str, subject: str = "", *, again: bool) -> None:
        """Set a text.

        :param again: whether those who have seen the one before are to see this one, too.
        """

        def work(connection: Connection) -> None:
            known = connection.execute(ONE, {"host": host, "which": kind.value}).first()
            if known is None:
                first = {"owner": host, "kind": kind.value, "text": text, "number": 1, "subject": subject}
                connection.execute(ADD, first)
                return
            number = known.number + 1 if again or not known.text else known.number
            row = {"host": host, "which": kind.value, "new": text, "now": number, "about": subject}
            connection.execute(CHANGE, row)

        try:
            await self._shards.transaction(host, "announcements.put", work)
        except IntegrityError:  # another node has begun the same row; it is there now
            await self._shards.transaction(host, "announcements.put", work)

    async def clear(self, host: str, kind: Kind) -> bool:
        """Tell nothing any more; return whether there was something."""
        rows = [{"host": host, "which": kind.value}]
        return bool(await self._shards.write(host, "announcements.clear", CLEAR, rows))

    async def expect_welcome(self, account: Jid) -> None:
        """Note that a new account is to be welcomed."""

        def work(connection: Connection) -> None:
            connection.execute(FORGET, {"account": account})
            connection.execute(BEGIN, {"owner": account, "motd": 0, "welcome": True})

        await self._shards.transaction(account, "announcements.expect_welcome", work)

    async def claim(self, account: Jid, number: int) -> Due:
        """Return what an account is due, and note that it was told: nobody else is answered the same.

        :param number: that of the message of the day; 0 if there is none.
        """
        rows = await self._shards.fetch(account, "announcements.read", READ, {"account": account})
        if not rows:
            return Due(motd=bool(number) and await self._begin(account, number))
        seen, welcome = rows[0]
        if seen >= number and not welcome:
            return Due()
        row = {"account": account, "seen": seen, "due": bool(welcome), "now": max(seen, number)}
        claimed = await self._shards.write(account, "announcements.claim", CLAIM, [row])
        return Due(seen < number, bool(welcome)) if claimed else Due()

    async def _begin(self, account: Jid, number: int) -> bool:
        row = {"owner": account, "motd": number, "welcome": False}
        try:
            await self._shards.write(account, "announcements.begin", BEGIN, [row])
        except IntegrityError:  # another resource was faster
            return False
        return True

    async def forget(self, account: Jid) -> None:
        """Forget what an account was told."""
        await self._shards.write(account, "announcements.forget", FORGET, [{"account": account}])
