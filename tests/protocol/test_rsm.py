"""Result Set Management: XEP-0059."""

import pytest

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest
from xmppd.protocol.rsm import NAME, NS, Page, PageRequest, find_request

QUERY = "{jabber:iq:search}query"


def child(name: str, text: str | None = None) -> Element:
    return E(f"{{{NS}}}{name}", text)


@pytest.mark.parametrize(
    ("children", "request_"),
    [
        ([], PageRequest()),
        ([child("max", "10")], PageRequest(max=10)),
        ([child("max", " 10\n")], PageRequest(max=10)),
        ([child("max", "10"), child("after", "peterpan@neverland.lit")], PageRequest(10, "peterpan@neverland.lit")),
        ([child("max", "10"), child("before", "peter@pixyland.org")], PageRequest(10, before="peter@pixyland.org")),
        ([child("max", "10"), child("before")], PageRequest(10, before="")),
        ([child("max", "10"), child("index", "371")], PageRequest(10, index=371)),
        ([child("max", "0")], PageRequest(0)),
    ],
)
def test_requests(children: list[Element], request_: PageRequest) -> None:
    """Use Cases: the first page, the next, the one before, the last, the one at an index, and none but its count."""
    assert PageRequest.parse(E(NAME, *children)) == request_
    assert PageRequest.parse(request_.element()) == request_


def test_paging_backwards() -> None:
    """Paging Backwards Through a Result Set, and Requesting the Last Page: both are asked for by <before/>."""
    assert PageRequest(before="x").is_backwards
    assert PageRequest(before="").is_backwards
    assert not PageRequest(after="x").is_backwards


def test_the_item_count() -> None:
    """Getting the Item Count: nothing but the number is asked for."""
    assert PageRequest(max=0).wants_count
    assert not PageRequest().wants_count
    assert not PageRequest(max=1).wants_count


def test_empty_after() -> None:
    """Paging Forwards Through a Result Set: what follows nothing is the first page."""
    assert PageRequest.parse(E(NAME, child("after"))) == PageRequest()


@pytest.mark.parametrize("text", ["", "ten", "-1", "1.5", "1e3", "+1", "\u0661", "9" * 19])
@pytest.mark.parametrize("name", ["max", "index"])
def test_numbers(name: str, text: str) -> None:
    """XML Schema: max and index are unsigned numbers."""
    with pytest.raises(BadRequest):
        PageRequest.parse(E(NAME, child(name, text)))


@pytest.mark.parametrize(
    "children",
    [
        [child("after", "a"), child("before", "b")],
        [child("after", "a"), child("before")],
        [child("index", "3"), child("before")],
        [child("index", "3"), child("after", "a")],
    ],
)
def test_a_page_has_one_name(children: list[Element]) -> None:
    """What two of them together mean is not defined."""
    with pytest.raises(BadRequest):
        PageRequest.parse(E(NAME, *children))


def test_request_in_a_query() -> None:
    """Limiting the Number of Items: the set is a child of the request; without one everything is asked for."""
    assert find_request(E(QUERY, E(NAME, child("max", "10")))) == PageRequest(10)
    assert find_request(E(QUERY)) == PageRequest()


def test_page() -> None:
    """Returning a Limited Result Set: the first and the last item of the page, and how many there are."""
    assert Page("a", "b", 800).element() == E(NAME, child("first", "a"), child("last", "b"), child("count", "800"))


def test_empty_page() -> None:
    """Returning an Empty Page: no first and no last item."""
    assert Page(count=790).element() == E(NAME, child("count", "790"))
    assert Page().element() == E(NAME)
