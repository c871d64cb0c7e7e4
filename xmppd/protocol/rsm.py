"""Result Set Management (XEP-0059): which page of a set somebody asks for, and which one they get."""

import re
from dataclasses import dataclass
from typing import Final

from .element import E, Element
from .errors import BadRequest

NS: Final = "http://jabber.org/protocol/rsm"
NAME: Final = f"{{{NS}}}set"

_AFTER: Final = f"{{{NS}}}after"
_BEFORE: Final = f"{{{NS}}}before"
_COUNT: Final = f"{{{NS}}}count"
_FIRST: Final = f"{{{NS}}}first"
_INDEX: Final = f"{{{NS}}}index"
_LAST: Final = f"{{{NS}}}last"
_MAX: Final = f"{{{NS}}}max"
_number: Final = re.compile("[0-9]{1,18}").fullmatch


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for.

    :ivar max: how many items at most; None if that is not said. With 0 only their number is asked for.
    :ivar after: the page that follows this item; None for the first page.
    :ivar before: the page that ends before this item, the last page if it is empty; None to page forwards.
    :ivar index: the page that begins at this position.
    """

    max: int | None = None
    after: str | None = None
    before: str | None = None
    index: int | None = None

    @property
    def is_backwards(self) -> bool:
        """Whether the last items are meant, where there are more than fit in a page (Paging Backwards)."""
        return self.before is not None

    @property
    def wants_count(self) -> bool:
        """Whether only the number of items is asked for (Getting the Item Count)."""
        return self.max == 0

    def element(self) -> Element:
        """Return the `<set/>`."""
        return E(
            NAME,
            None if self.max is None else E(_MAX, str(self.max)),
            None if self.after is None else E(_AFTER, self.after),
            None if self.before is None else E(_BEFORE, self.before or None),
            None if self.index is None else E(_INDEX, str(self.index)),
        )

    @classmethod
    def parse(cls, element: Element) -> "PageRequest":
        """Return what a `<set/>` asks for; an empty `<after/>` means the first page.

        :raises BadRequest: a number is none, or the page is named in two ways, which the XEP does not define.
        """
        request = cls(
            _count(element, _MAX), element.text_of(_AFTER) or None, element.text_of(_BEFORE), _count(element, _INDEX)
        )
        if [request.after, request.before, request.index].count(None) < 2:
            raise BadRequest("A page is named by the item before it, by the one after it, or by its index.")
        return request


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is answered.

    :ivar first: the id of its first item, in the order of the set; None if the page is empty.
    :ivar last: the id of its last item.
    :ivar count: how many items the whole set has; None if that is not told.
    """

    first: str | None = None
    last: str | None = None
    count: int | None = None

    def element(self) -> Element:
        """Return the `<set/>`."""
        return E(
            NAME,
            None if self.first is None else E(_FIRST, self.first),
            None if self.last is None else E(_LAST, self.last),
            None if self.count is None else E(_COUNT, str(self.count)),
        )


def find_request(parent: Element) -> PageRequest:
    """Return which page of its answer a request asks for; without a `<set/>` the first one, of any size.

    :raises BadRequest: the `<set/>` is malformed.
    """
    found = parent.child(NAME)
    return PageRequest() if found is None else PageRequest.parse(found)


def _count(element: Element, name: str) -> int | None:
    text = element.text_of(name)
    if text is None:
        return None
    if not _number(text.strip()):
        raise BadRequest(f"{name.rpartition('}')[2]} is a number.")
    return int(text)
