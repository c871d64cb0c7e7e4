"""Questions to the log. Each statement is compiled once for the shape of its question, and runs raw.

On PostgreSQL a question without a lower bound plans for every partition there is, which costs more than answering it.
So the last rows are looked for in the last weeks first.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, any_, bindparam, func, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import Executable

from ...core.message_log import ARCHIVE, COUNTER_BITS, RECEIVED, WAIT, Query, Row
from ...protocol.jid import Jid
from ..link import Link
from ..statements import Prepared
from .cursors import Cursor, stored_cursor
from .keys import Keys
from .tables import log, log_head

RECENT: Final = (35 * 86_400_000) << COUNTER_BITS
"""How far back the last rows are looked for first, as a difference of ids: it touches two partitions."""

WIDTH: Final = 64
"""How many owners one question about heads is for."""

COLUMNS: Final = (log.c.id, log.c.peer, log.c.direction, log.c.kind, log.c.flags, log.c.origin_id, log.c.stanza)
OWN: Final = log.c.owner == bindparam("owner")
ARCHIVED: Final = log.c.flags.bitwise_and(ARCHIVE) != 0
WAITS: Final = log.c.flags.bitwise_and(WAIT) != 0
AFTER: Final = log.c.id > bindparam("after")
MOST: Final[BindParameter[int]] = bindparam("most")

HEADS: Final = select(log_head.c.owner, log_head.c.last_id).where(
    log_head.c.owner.in_([bindparam(f"owner{number}") for number in range(WIDTH)])
)
KEYS: Final = (
    select(log.c.key)
    .where(
        OWN,
        log.c.peer_key == bindparam("peer_key"),
        log.c.id >= bindparam("since"),
        log.c.id < bindparam("before"),
        log.c.key.is_not(None),
    )
    .order_by(log.c.id.desc())
    .limit(bindparam("most"))
)
NEWEST: Final = select(func.max(log_head.c.last_id))
FIND: Final = (
    select(*COLUMNS)
    .where(OWN, log.c.peer_key == bindparam("peer_key"), AFTER, log.c.origin_id == bindparam("origin_id"))
    .order_by(log.c.id)
)
TRACE: Final = (
    select(log_head.c.jid, *COLUMNS)
    .join_from(log, log_head, log_head.c.owner == log.c.owner)
    .where(AFTER, log.c.origin_id == bindparam("origin_id"))
    .order_by(log.c.id)
)
COUNT_WAITING: Final = select(func.count()).where(OWN, log.c.direction == RECEIVED, WAITS, AFTER)

Parameters = dict[str, Any]
Shape = tuple[bool, bool, bool, bool, bool, bool]


class Reads:
    """Makes statements of questions, for one kind of database.

    Each method returns a call to be made with a link in a storage thread, and its further arguments.
    """

    def __init__(self, keys: Keys, dialect: Dialect) -> None:
        self._keys = keys
        self._dialect = dialect
        self._is_sqlite = dialect.name == "sqlite"
        self._prepared: dict[object, Prepared] = {}

    def waiting(self, owner: Jid, after: int, open: Iterable[int], limit: int) -> "Question":
        """Ask for received rows with `WAIT` above an id, and those of `open` up to it."""
        left = [id for id in open if id <= after]
        parameters = {"owner": self._keys[owner].digest, "after": after, "most": limit}
        if left:
            parameters["ids"] = self._list(left)
        return Question(self._statement(("waiting", bool(left)), lambda: self._waiting(bool(left))), parameters)

    def count_waiting(self, owner: Jid, known: Cursor) -> "WaitingCount":
        """Ask how many such rows there are behind what is delivered.

        :param known: what is delivered beside what the stored cursor tells.
        """
        plain = self._statement("count waiting", lambda: COUNT_WAITING)
        with_open = self._statement("count open", self._count_open)
        return WaitingCount(self._keys[owner].digest, known, plain, with_open, self._list)

    def page(self, query: Query) -> "Question":
        """Ask for rows of an archive; backwards ones come last first."""
        shape = _shape(query)
        parameters = {**self._bounds(query), "most": query.limit}
        return Question(self._statement(shape, lambda: self._page(*shape)), parameters)

    def count(self, query: Query) -> "Question":
        """Ask how many rows of an archive a query is about."""
        shape = _shape(query)
        statement = self._statement(("count", *shape), lambda: select(func.count()).where(*self._filters(*shape)))
        return Question(statement, self._bounds(query))

    def ends(self, owner: Jid) -> "Question":
        """Ask for the first and the last id of an archive, in one row."""
        return Question(self._statement("ends", _ends), {"owner": self._keys[owner].digest})

    def present(self, owner: Jid, ids: Sequence[int]) -> "Question":
        """Ask which ids an archive has."""
        statement = self._statement("present", lambda: select(log.c.id).where(OWN, self._among(), ARCHIVED))
        return Question(statement, {"owner": self._keys[owner].digest, "ids": self._list(ids)})

    def find(self, owner: Jid, peer: Jid, origin_id: str, since: int) -> "Question":
        """Ask for the rows with a peer that have an origin-id."""
        keys = self._keys
        parameters = {"owner": keys[owner].digest, "peer_key": keys[peer.bare].digest}
        return Question(self._statement("find", lambda: FIND), {**parameters, "origin_id": origin_id, "after": since})

    def keys(self, owner: Jid, peer: Jid, since: int, before: int, limit: int) -> "Question":
        """Ask for the keys of the newest rows with a peer."""
        keys = self._keys
        parameters: dict[str, Any] = {"since": since, "before": before, "most": limit}
        parameters |= {"owner": keys[owner].digest, "peer_key": keys[peer.bare].digest}
        return Question(self._statement("keys", lambda: KEYS), parameters)

    def newest(self) -> "Question":
        """Ask for the highest last id of all owners."""
        return Question(self._statement("newest", lambda: NEWEST), {})

    def trace(self, origin_id: str, since: int) -> "Question":
        """Ask for the owners and rows of all owners that have an origin-id."""
        return Question(self._statement("trace", lambda: TRACE), {"origin_id": origin_id, "after": since})

    def heads(self, owners: Sequence[Jid]) -> "Question":
        """Ask for the last ids of at most `WIDTH` owners."""
        digests = [self._keys[owner].digest for owner in owners]
        digests += digests[:1] * (WIDTH - len(digests))
        parameters = {f"owner{number}": digest for number, digest in enumerate(digests)}
        return Question(self._statement("heads", lambda: HEADS), parameters)

    def _statement(self, shape: object, make: Callable[[], Executable]) -> Prepared:
        found = self._prepared.get(shape)
        if found is None:
            found = self._prepared[shape] = Prepared(make(), self._dialect, None)
        return found

    def _list(self, ids: Iterable[int]) -> Any:
        return json.dumps(list(ids)) if self._is_sqlite else list(ids)

    def _among(self) -> ColumnElement[bool]:
        """Return the condition that the id is one of a list."""
        if self._is_sqlite:
            return log.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))
        return log.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))

    def _waiting(self, with_open: bool) -> Executable:
        rows = select(*COLUMNS).where(OWN, log.c.direction == RECEIVED, WAITS)
        above = rows.where(AFTER).order_by(log.c.id).limit(MOST)
        if not with_open:
            return above
        left = rows.where(self._among()).order_by(log.c.id).limit(MOST)
        both = union_all(select(left.subquery()), select(above.subquery())).subquery()
        return select(both).order_by(both.c.id).limit(MOST)

    def _count_open(self) -> Executable:
        above = COUNT_WAITING.scalar_subquery()
        left = select(func.count()).where(OWN, log.c.direction == RECEIVED, WAITS, self._among()).scalar_subquery()
        return select(above + left)

    def _page(self, *shape: bool) -> Executable:
        order = log.c.id.desc() if shape[-1] else log.c.id
        return select(*COLUMNS).where(*self._filters(*shape)).order_by(order).limit(MOST)

    def _filters(
        self, after: bool, before: bool, peer: bool, resource: bool, ids: bool, backwards: bool
    ) -> list[ColumnElement[bool]]:
        wanted: Sequence[tuple[bool, ColumnElement[bool]]] = (
            (True, OWN),
            (True, ARCHIVED),
            (after, AFTER),
            (before, log.c.id < bindparam("before")),
            (peer, log.c.peer_key == bindparam("peer_key")),
            (resource, log.c.peer == bindparam("peer")),
            (ids, self._among()),
        )
        return [condition for is_wanted, condition in wanted if is_wanted]

    def _bounds(self, query: Query) -> Parameters:
        parameters: Parameters = {"owner": self._keys[query.owner].digest}
        if query.after:
            parameters["after"] = query.after
        if query.before is not None:
            parameters["before"] = query.before
        if query.peer is not None:
            parameters["peer_key"] = self._keys[query.peer.bare].digest
            if not query.peer.is_bare:
                parameters["peer"] = query.peer
        if query.ids is not None:
            parameters["ids"] = self._list(query.ids)
        return parameters


class Question:
    """A statement with its values."""

    __slots__ = ("parameters", "prepared")

    def __init__(self, prepared: Prepared, parameters: Mapping[str, Any]) -> None:
        self.prepared = prepared
        self.parameters = parameters


class WaitingCount(NamedTuple):
    """The question how much waits: an owner's digest, what is known of its cursor, how to ask without and with ids.

    :ivar as_list: makes of ids what a statement takes.
    """

    digest: bytes
    known: Cursor
    plain: Prepared
    with_open: Prepared
    as_list: Callable[[Iterable[int]], Any]


def fetch_count(link: Link, asked: WaitingCount) -> int:
    """Read an owner's cursor, and how many rows wait behind it: two questions, but one way to the database's thread."""
    _, stored = stored_cursor(link, asked.digest)
    cursor = stored.united(asked.known)
    parameters: Parameters = {"owner": asked.digest, "after": cursor.delivered}
    left = [id for id in cursor.open if id <= cursor.delivered]
    if left:
        parameters["ids"] = asked.as_list(left)
    return int(fetch(link, Question(asked.with_open if left else asked.plain, parameters))[0][0])


def fetch(link: Link, question: Question) -> list[Any]:
    """Return the rows of a question that is not about stanzas, as the driver has them."""
    cursor = link.raw.cursor()
    try:
        cursor.execute(question.prepared.text, question.prepared.bind(question.parameters))
        found: list[Any] = cursor.fetchall()
        return found
    finally:
        cursor.close()


def fetch_rows(link: Link, question: Question) -> list[Row]:
    """Return rows of the log."""
    return [
        Row(id, peer, direction, kind, flags, origin_id, bytes(stanza))
        for id, peer, direction, kind, flags, origin_id, stanza in fetch(link, question)
    ]


def fetch_traced(link: Link, question: Question) -> list[tuple[str, Row]]:
    """Return owners and their rows."""
    return [(owner, Row._make((*row, bytes(stanza)))) for owner, *row, stanza in fetch(link, question)]


def _shape(query: Query) -> Shape:
    """Return what a query asks for, without its values."""
    peer = query.peer
    return (
        query.after > 0,
        query.before is not None,
        peer is not None,
        peer is not None and not peer.is_bare,
        query.ids is not None,
        query.backwards,
    )


def _ends() -> Select[tuple[int, int]]:
    one = select(log.c.id).where(OWN, ARCHIVED).limit(1)
    first = one.order_by(log.c.id).scalar_subquery()
    return select(first, one.order_by(log.c.id.desc()).scalar_subquery())
