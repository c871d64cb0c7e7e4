"""Reading queries of an archive (XEP-0313, Querying an archive): a form that filters, and which page of the rest.

All bounds become bounds of ids, since an id begins with its time: `start` is the lowest id of its millisecond, `end`
the highest of its own. So a page is always a range of ids, wherever it begins, and costs what its messages cost.
"""

import re
from dataclasses import dataclass
from typing import Final

from xmppd.core.message_log import COUNTER_BITS, Query
from xmppd.protocol.dataforms import Field, FieldType, Form, FormKind, find_form
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, FeatureNotImplemented, ItemNotFound, JidMalformed, PolicyViolation
from xmppd.protocol.jid import Jid, JidError
from xmppd.protocol.rsm import PageRequest, find_request
from xmppd.protocol.timestamps import TimestampError, parse_time

NS: Final = "urn:xmpp:mam:2"
QUERY: Final = f"{{{NS}}}query"
FLIP: Final = f"{{{NS}}}flip-page"

LOWEST: Final = 0
HIGHEST: Final = (1 << 63) - 1
"""Bounds that are beyond every id."""

BOOLEANS: Final = frozenset({"", "0", "1", "false", "true"})
FIELDS: Final = frozenset({"with", "start", "end", "before-id", "after-id", "ids", "include-groupchat"})

_id: Final = re.compile("0|[1-9][0-9]{0,18}").fullmatch
_VALIDATE: Final = "http://jabber.org/protocol/xdata-validate"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks an archive for.

    :ivar queryid: what the results are marked with; None if they are not.
    :ivar after: ids above this.
    :ivar before: ids below this.
    :ivar peer: only messages with this address.
    :ivar ids: only these.
    :ivar named: ids that the client has told; all of them must be in the archive.
    :ivar page: which page of what matches.
    :ivar is_flipped: whether the page's last message is sent first (Flipped pages).
    """

    queryid: str | None
    after: int
    before: int
    peer: Jid | None
    ids: tuple[int, ...] | None
    named: tuple[int, ...]
    page: PageRequest
    is_flipped: bool

    def query(self, owner: Jid, limit: int) -> Query:
        """Return the question to the log."""
        before = None if self.before == HIGHEST else self.before
        return Query(owner, self.after, before, self.peer, self.ids, limit, self.page.is_backwards)


def read_query(payload: Element, most_ids: int) -> Asked:
    """Read a `<query/>`.

    :param most_ids: how many messages may be asked for by their ids.
    :raises BadRequest: the form, a time or the page is malformed.
    :raises JidMalformed: `with` is no address.
    :raises ItemNotFound: an id is none that an archive could have.
    :raises PolicyViolation: too many ids.
    :raises FeatureNotImplemented: it asks for a node, a field or a page by index, which we do not have.
    """
    if payload.get("node") is not None:
        raise FeatureNotImplemented("an account's archive has no nodes")
    page = find_request(payload)
    if page.index is not None:
        raise FeatureNotImplemented("pages are found by ids, not by their number")
    values = _values(payload)
    later = [archive_id(text) for text in (_single(values, "after-id"), page.after) if text]
    earlier = [archive_id(text) for text in (_single(values, "before-id"), page.before) if text]
    ids = _ids(values, most_ids)
    return Asked(
        queryid=payload.get("queryid"),
        after=min(HIGHEST, max(LOWEST, _start(values), *later)),
        before=min(HIGHEST, _end(values), *earlier),
        peer=_peer(values),
        ids=ids,
        named=(*later, *earlier, *(ids or ())),
        page=page,
        is_flipped=payload.child(FLIP) is not None,
    )


def archive_id(text: str) -> int:
    """Return the id that a text stands for; raise `ItemNotFound` for one that no message can have."""
    if _id(text) is None or int(text) > HIGHEST:
        raise ItemNotFound("there is no such message")
    return int(text)


def _values(payload: Element) -> dict[str, tuple[str, ...]]:
    """Return the values of a submitted form by the names of its fields; fields without any are left out."""
    form = find_form(payload)
    if form is None:
        return {}
    if form.kind is not FormKind.SUBMIT or form.form_type != NS:
        raise BadRequest(f"An archive is filtered by a submitted form of the type {NS}.")
    for field in form.fields:
        if field.var not in FIELDS:
            raise FeatureNotImplemented("one of the fields is not known here")
    values = {field.var: tuple(text for text in field.texts if text) for field in form.fields}
    if (_single(values, "include-groupchat") or "") not in BOOLEANS:
        raise BadRequest("include-groupchat is true or false.")
    return values


def _single(values: dict[str, tuple[str, ...]], var: str) -> str | None:
    texts = values.get(var, ())
    if len(texts) > 1:
        raise BadRequest(f"{var} has one value.")
    return texts[0] if texts else None


def _peer(values: dict[str, tuple[str, ...]]) -> Jid | None:
    text = _single(values, "with")
    try:
        return None if text is None else Jid.parse(text)
    except JidError as error:
        raise JidMalformed(str(error)) from None


def _start(values: dict[str, tuple[str, ...]]) -> int:
    """Return the id below the first one of `start`."""
    time = _microseconds(values, "start")
    return LOWEST if time is None else (-(-time // 1000) << COUNTER_BITS) - 1


def _end(values: dict[str, tuple[str, ...]]) -> int:
    """Return the id above the last one of `end`."""
    time = _microseconds(values, "end")
    return HIGHEST if time is None else max(0, (time // 1000 + 1) << COUNTER_BITS)


def _microseconds(values: dict[str, tuple[str, ...]], var: str) -> int | None:
    text = _single(values, var)
    try:
        return None if text is None else round(parse_time(text) * 1_000_000)
    except TimestampError as error:
        raise BadRequest(f"{var} is a time as XEP-0082 writes it: {error}") from None


def _ids(values: dict[str, tuple[str, ...]], most: int) -> tuple[int, ...] | None:
    texts = values.get("ids", ())
    if len(texts) > most:
        raise PolicyViolation(f"at most {most} messages may be asked for by their ids")
    return tuple(dict.fromkeys(map(archive_id, texts))) or None


def query_form() -> Element:
    """Return the `<query/>` that tells which fields there are (Retrieving form fields)."""
    form = Form(
        FormKind.FORM,
        [
            Field("with", FieldType.JID_SINGLE),
            *[Field(var, FieldType.TEXT_SINGLE) for var in ("start", "end", "before-id", "after-id")],
            Field("include-groupchat", FieldType.BOOLEAN),
        ],
        NS,
    ).element()
    open_list = E(f"{{{_VALIDATE}}}validate", E(f"{{{_VALIDATE}}}open"), datatype="xs:string")  # XEP-0122
    field = Field("ids", FieldType.LIST_MULTI).element()
    ids = E(field.name, open_list, field.attributes)
    return E(QUERY, E(form.name, *form.children, ids, form.attributes))
