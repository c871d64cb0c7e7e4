"""Queries of an archive: XEP-0313, Querying an archive."""

from typing import Any

import pytest

from xmppd.core.message_log import COUNTER_BITS, Query, id_at
from xmppd.modules.mam.query import HIGHEST, NS, QUERY, archive_id, query_form, read_query
from xmppd.protocol.dataforms import Field, Form, FormKind
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import (
    BadRequest,
    FeatureNotImplemented,
    ItemNotFound,
    JidMalformed,
    PolicyViolation,
    StanzaError,
)
from xmppd.protocol.jid import Jid
from xmppd.protocol.rsm import PageRequest
from xmppd.protocol.timestamps import parse_time

JULIET = Jid("juliet@capulet.lit")
ROMEO = Jid("romeo@montague.lit")
COUNTER = (1 << COUNTER_BITS) - 1


def query(*children: Element, form: dict[str, Any] | None = None, form_type: str = NS, **attributes: str) -> Element:
    """Return a <query/> with a submitted form of these fields."""
    fields = [Field(var.replace("_", "-"), value=value) for var, value in (form or {}).items()]
    submitted = [] if form is None else [Form(FormKind.SUBMIT, fields, form_type).element()]
    return E(QUERY, *submitted, *children, attributes)


def read(*children: Element, **parts: Any) -> Query:
    return read_query(query(*children, **parts), 10).query(JULIET, 51)


def test_all_messages() -> None:
    """Querying an archive: without a filter every message matches."""
    asked = read_query(query(queryid="f27"), 10)
    assert asked.queryid == "f27"
    assert (asked.named, asked.page, asked.is_flipped) == ((), PageRequest(), False)
    assert asked.query(JULIET, 51) == Query(JULIET, limit=51)


def test_empty_form() -> None:
    """Filtering results: all fields are optional, and an empty one says nothing (XEP-0004)."""
    assert read(form={}) == read(form={"with": "", "start": None, "ids": ()}) == read()


@pytest.mark.parametrize("address", ["juliet@capulet.lit", "juliet@capulet.lit/balcony"])
def test_filtering_by_jid(address: str) -> None:
    """Filtering by JID: bare or full."""
    assert read(form={"with": address}).peer == Jid(address)


def test_filtering_by_time() -> None:
    """Filtering by time received: messages at the very start and at the very end are in."""
    found = read(form={"start": "2010-06-07T00:00:00Z", "end": "2010-07-07T13:23:54Z"})
    start, end = id_at(parse_time("2010-06-07T00:00:00Z")), id_at(parse_time("2010-07-07T13:23:54Z"))
    assert found.after == start - 1
    assert found.before == end + COUNTER + 1


@pytest.mark.parametrize("fraction", ["001", "123", "499", "500", "999"])
def test_every_millisecond_counts(fraction: str) -> None:
    """Filtering by time received: what a client was told as the time of a message finds that message."""
    stamp = f"2026-11-24T13:31:15.{fraction}Z"
    lowest = (round(parse_time(stamp) * 1000)) << COUNTER_BITS
    found = read(form={"start": stamp, "end": stamp})
    assert found.after < lowest < lowest + COUNTER < (found.before or 0)
    assert (found.before or 0) - found.after == COUNTER + 2


def test_times_finer_than_ours() -> None:
    """Filtering by time received: a start within a millisecond leaves it out, an end within one lets it in."""
    lowest = id_at(parse_time("2010-06-07T00:00:00Z"))
    found = read(form={"start": "2010-06-07T00:00:00.000001Z", "end": "2010-06-07T00:00:00.000999Z"})
    assert found.after == lowest + COUNTER
    assert found.before == lowest + COUNTER + 1


@pytest.mark.parametrize(
    ("form", "after", "before"),
    [
        ({"start": "0001-01-01T00:00:00Z"}, 0, None),
        ({"end": "9999-12-31T23:59:59Z"}, 0, None),
        ({"end": "0001-01-01T00:00:00Z"}, 0, 0),
    ],
)
def test_times_beyond_all_ids(form: dict[str, str], after: int, before: int | None) -> None:
    """The first and the last year that can be written are within what a database can compare."""
    found = read(form=form)
    assert (found.after, found.before) == (after, before)


def test_a_start_in_the_far_future() -> None:
    """Nothing is behind it, and the question can be asked all the same."""
    found = read(form={"start": "9999-12-31T23:59:59Z"})
    assert HIGHEST - 1 <= found.after <= HIGHEST


def test_limiting_by_id() -> None:
    """Limiting results by id: between two messages; both must be there."""
    asked = read_query(query(form={"after_id": "100", "before_id": "200"}), 10)
    assert (asked.after, asked.before) == (100, 200)
    assert sorted(asked.named) == [100, 200]


def test_specific_messages() -> None:
    """Limiting results by id: messages whose ids are known; each counts once."""
    asked = read_query(query(form={"ids": ["300", "100", "300"]}), 10)
    assert asked.ids == (300, 100)
    assert sorted(asked.named) == [100, 300]
    with pytest.raises(PolicyViolation):
        read_query(query(form={"ids": [str(id) for id in range(11)]}), 10)


def test_pages() -> None:
    """Requesting pages: the page's bound and the filter's hold both; its id must be there as well."""
    after, before, last = PageRequest(10, after="150"), PageRequest(10, before="150"), PageRequest(10, before="")
    form = {"after_id": "100", "before_id": "200"}
    assert (read(after.element()).after, read(before.element()).before) == (150, 150)
    assert read(after.element(), form=form).after == 150
    assert read(before.element(), form=form).before == 150
    assert read_query(query(after.element()), 10).named == (150,)
    assert read(last.element()).backwards and read(before.element()).backwards and not read(after.element()).backwards
    assert read_query(query(last.element()), 10).named == ()


def test_flipped_pages() -> None:
    """Flipped pages: only the order of sending changes."""
    assert read_query(query(E(f"{{{NS}}}flip-page")), 10).is_flipped
    assert read(E(f"{{{NS}}}flip-page")) == read()


@pytest.mark.parametrize("value", ["true", "false", "1", "0"])
def test_groupchat_field(value: str) -> None:
    """Including groupchat results: the field is understood; rooms' messages are not here."""
    assert read(form={"include_groupchat": value}) == read()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"form": {"start": "yesterday"}}, BadRequest),
        ({"form": {"end": "2010-06-07"}}, BadRequest),
        ({"form": {"start": ["2010-06-07T00:00:00Z", "2011-06-07T00:00:00Z"]}}, BadRequest),
        ({"form": {"with": "@"}}, JidMalformed),
        ({"form": {"with": [ROMEO, JULIET]}}, BadRequest),
        ({"form": {"include_groupchat": "perhaps"}}, BadRequest),
        ({"form": {"{http://example.com/}free-text-search": "Juliet"}}, FeatureNotImplemented),
        ({"form": {}, "form_type": ""}, BadRequest),
        ({"form": {}, "form_type": "urn:xmpp:mam:1"}, BadRequest),
        ({"node": "urn:xmpp:microblog:0"}, FeatureNotImplemented),
        ({"form": {"after_id": "28482-98726-73623"}}, ItemNotFound),
        ({"form": {"before_id": "28482-98726-73623"}}, ItemNotFound),
        ({"form": {"ids": ["1", "28482-98726-73623"]}}, ItemNotFound),
    ],
)
def test_wrong_queries(wrong: dict[str, Any], error: type[StanzaError]) -> None:
    """Filtering results: what is malformed is told from what is not there and what nobody has implemented."""
    with pytest.raises(error):
        read(**wrong)


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (PageRequest(after="28482-98726-73623"), ItemNotFound),
        (PageRequest(before="28482-98726-73623"), ItemNotFound),
        (PageRequest(index=371), FeatureNotImplemented),
    ],
)
def test_wrong_pages(page: PageRequest, error: type[StanzaError]) -> None:
    """Requesting pages: a message that is not there has nothing before or behind it; XEP-0059: no pages by index."""
    with pytest.raises(error):
        read(page.element())


def test_a_form_that_is_not_submitted() -> None:
    """Filtering results: filters are specified in a form that is filled in."""
    with pytest.raises(BadRequest):
        read(Form(FormKind.FORM, [], NS).element())


@pytest.mark.parametrize("text", ["", "x", "-1", "01", "+1", "1.0", " 1", "\u0661", str(1 << 63), "9" * 30])
def test_ids_that_are_none(text: str) -> None:
    """IDs: only what we have given is an id, as we have written it."""
    with pytest.raises(ItemNotFound):
        archive_id(text)


@pytest.mark.parametrize("id", [0, 1, HIGHEST])
def test_ids(id: int) -> None:
    """IDs: as a log gives them."""
    assert archive_id(str(id)) == id


def test_form_fields() -> None:
    """Retrieving form fields: all that there are, and the ids are an open list (XEP-0122)."""
    element = query_form()
    form = Form.parse(element.elements().__next__())
    assert (form.kind, form.form_type) == (FormKind.FORM, NS)
    assert {field.var: str(field.type) for field in form.fields} == {
        "with": "jid-single", "start": "text-single", "end": "text-single", "before-id": "text-single",
        "after-id": "text-single", "ids": "list-multi", "include-groupchat": "boolean",
    }  # fmt: skip
    assert not any(field.required for field in form.fields)
    (ids,) = [child for child in element.children[0].elements() if child.get("var") == "ids"]  # type: ignore[union-attr]
    validate = ids.child("{http://jabber.org/protocol/xdata-validate}validate")
    assert validate is not None
    assert validate.get("datatype") == "xs:string"
    assert validate.child("{http://jabber.org/protocol/xdata-validate}open") is not None
