"""A seam: a method of a running object, to which somebody listens for a while.

What is asked for rarely must cost nothing on the hot paths meanwhile, not even the question whether anybody listens. So
a listener stands in the method's place, on that one object, from when it comes until it goes.
"""

from collections.abc import Callable
from typing import Any


class Seam:
    """One method of one object.

    :param owner: the object; it has no slots, and looks the method up whenever it calls it.
    :param name: the method's name.
    """

    def __init__(self, owner: object, name: str) -> None:
        self._place = vars(owner)
        self._name = name
        self._method: Callable[..., Any] = getattr(owner, name)
        self._listeners: list[Callable[..., object]] = []

    def open(self, listener: Callable[..., object]) -> None:
        """Call `listener` before each call of the method, with the same arguments; it must not raise."""
        self._listeners.append(listener)
        self._place[self._name] = self._pass_on

    def close(self, listener: Callable[..., object]) -> None:
        """Call it no more."""
        self._listeners.remove(listener)
        if not self._listeners:
            del self._place[self._name]

    def _pass_on(self, *arguments: Any) -> Any:
        for listener in tuple(self._listeners):
            listener(*arguments)
        return self._method(*arguments)
