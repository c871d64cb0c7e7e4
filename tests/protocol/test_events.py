"""The events of a stream are values."""

import dataclasses
from typing import get_args

import pytest

from xmppd.protocol import events
from xmppd.protocol.element import E


def test_all_are_told() -> None:
    """The union that drivers match against names every class of the file."""
    classes = {value for value in vars(events).values() if dataclasses.is_dataclass(value)}
    assert set(get_args(events.StreamEvent)) == classes


def test_they_are_values() -> None:
    """Equal contents make equal events, and nobody changes one on its way."""
    request = events.BindRequested(E("iq"), "balcony")
    assert request == events.BindRequested(E("iq"), "balcony")
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.resource = "chamber"  # type: ignore[misc]


def test_a_stream_need_not_say_who_opens_it() -> None:
    """RFC 6120, 4.7.1: the sender of a header is optional."""
    assert events.StreamStarted("capulet.example", None).from_ is None
