"""Data forms (XEP-0004), with the form types of XEP-0068.

A module declares a `Form` of kind "form", sends its `element`, and gives what comes back to `read_submission`, which
checks each answer against the declared field. A form whose fields nobody declared here is read with `Form.parse`; so
are the forms that extend a service discovery answer (XEP-0128).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from .element import E, Element
from .errors import BadRequest, Misuse, NotAcceptable
from .jid import Jid, JidError
from .names import DATA_FORMS

NAME: Final = f"{{{DATA_FORMS}}}x"
FORM_TYPE: Final = "FORM_TYPE"

_FIELD: Final = f"{{{DATA_FORMS}}}field"
_VALUE: Final = f"{{{DATA_FORMS}}}value"
_OPTION: Final = f"{{{DATA_FORMS}}}option"
_REQUIRED: Final = f"{{{DATA_FORMS}}}required"
_DESC: Final = f"{{{DATA_FORMS}}}desc"
_TITLE: Final = f"{{{DATA_FORMS}}}title"
_INSTRUCTIONS: Final = f"{{{DATA_FORMS}}}instructions"
_REPORTED: Final = f"{{{DATA_FORMS}}}reported"
_ITEM: Final = f"{{{DATA_FORMS}}}item"

T = TypeVar("T")

Value = bool | int | str | Sequence[str] | None
"""What a field of ours may be given; a `Jid` is a `str`."""


class FormKind(StrEnum):
    """What a form is for (XEP-0004, Form Types)."""

    FORM = "form"
    SUBMIT = "submit"
    CANCEL = "cancel"
    RESULT = "result"


class FieldType(StrEnum):
    """The type of a field's data (XEP-0004, Field Types)."""

    BOOLEAN = "boolean"
    FIXED = "fixed"
    HIDDEN = "hidden"
    JID_MULTI = "jid-multi"
    JID_SINGLE = "jid-single"
    LIST_MULTI = "list-multi"
    LIST_SINGLE = "list-single"
    TEXT_MULTI = "text-multi"
    TEXT_PRIVATE = "text-private"
    TEXT_SINGLE = "text-single"


_TYPES: Final = {kind.value: kind for kind in FieldType}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list."""

    value: str
    label: str = ""

    def element(self) -> Element:
        """Return the `<option/>`."""
        return E(_OPTION, E(_VALUE, self.value), label=self.label or None)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    :ivar type: None if it is not said, as in a submitted form.
    :ivar value: the default, the current value or the answer; of a field that was parsed a tuple of texts.
    """

    var: str
    type: FieldType | None = None
    value: Value = None
    label: str = ""
    options: Sequence[Option] = ()
    required: bool = False
    desc: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The character data of each `<value/>`: "1" or "0" for a boolean, a line each for several lines."""
        value = self.value
        if value is None:
            return ()
        if isinstance(value, bool):
            return ("1" if value else "0",)
        if isinstance(value, str) and self.type is FieldType.TEXT_MULTI:
            return tuple(value.splitlines())
        # an Element tells its children apart by class, so no subclass of str may get in
        return (str(value),) if isinstance(value, int | str) else tuple(map(str, value))

    def element(self) -> Element:
        """Return the `<field/>`."""
        return E(
            _FIELD,
            E(_DESC, self.desc) if self.desc else None,
            E(_REQUIRED) if self.required else None,
            *[E(_VALUE, text) for text in self.texts],
            *[option.element() for option in self.options],
            var=self.var or None,
            type=self.type,
            label=self.label or None,
        )

    @classmethod
    def parse(cls, element: Element) -> "Field":
        """Return what a `<field/>` says; a type that nobody knows is text-single (XEP-0004, Field Types)."""
        kind = element.get("type")
        return cls(
            var=element.get("var") or "",
            type=None if kind is None else _TYPES.get(kind, FieldType.TEXT_SINGLE),
            value=tuple(child.text for child in element.elements() if child.name == _VALUE),
            label=element.get("label") or "",
            options=tuple(
                Option(child.text_of(_VALUE) or "", child.get("label") or "")
                for child in element.elements()
                if child.name == _OPTION
            ),
            required=element.child(_REQUIRED) is not None,
            desc=element.text_of(_DESC) or "",
        )


@dataclass(frozen=True, slots=True)
class Form:
    """A data form.

    :ivar form_type: what its fields mean (XEP-0068); empty if that is not said. It is no member of `fields`.
    :ivar reported: the columns of a table of results.
    :ivar items: the rows of a table of results.
    """

    kind: FormKind
    fields: Sequence[Field] = ()
    form_type: str = ""
    title: str = ""
    instructions: Sequence[str] = ()
    reported: Sequence[Field] = ()
    items: Sequence[Sequence[Field]] = ()

    def get(self, var: str) -> Field | None:
        """Return the field of that name, or None."""
        return next((one for one in self.fields if one.var == var), None)

    def element(self) -> Element:
        """Return the `<x/>`."""
        marked = Field(FORM_TYPE, FieldType.HIDDEN, self.form_type)
        return E(
            NAME,
            E(_TITLE, self.title) if self.title else None,
            *[E(_INSTRUCTIONS, text) for text in self.instructions],
            *_elements([marked, *self.fields] if self.form_type else self.fields),
            E(_REPORTED, *_elements(self.reported)) if self.reported else None,
            *[E(_ITEM, *_elements(item)) for item in self.items],
            type=self.kind,
        )

    @classmethod
    def parse(cls, element: Element) -> "Form":
        """Return what an `<x/>` says; values are tuples of texts, unchecked.

        :raises BadRequest: it is no form, or two of its fields have the same name, or it has two form types.
        """
        try:
            kind = FormKind(element.get("type") or "")
        except ValueError:
            raise BadRequest("A form says what it is for.") from None
        if element.name != NAME:
            raise BadRequest("This is no data form.")
        fields = _parse_fields(element)
        form_type = _form_type(fields, kind)
        reported = element.child(_REPORTED)
        return cls(
            kind,
            fields=tuple(one for one in fields if form_type is None or one.var != FORM_TYPE),
            form_type=form_type or "",
            title=element.text_of(_TITLE) or "",
            instructions=tuple(child.text for child in element.elements() if child.name == _INSTRUCTIONS),
            reported=() if reported is None else _parse_fields(reported),
            items=tuple(_parse_fields(child) for child in element.elements() if child.name == _ITEM),
        )


def find_form(parent: Element, form_type: str = "") -> Form | None:
    """Return the first form among the children of an element, or None; of that form type, if one is given.

    :raises BadRequest: a form before it is malformed.
    """
    for form in parse_forms(parent):
        if not form_type or form.form_type == form_type:
            return form
    return None


def parse_forms(parent: Element) -> Iterator[Form]:
    """Yield the forms among the children of an element.

    :raises BadRequest: one of them is malformed.
    """
    for child in parent.elements():
        if child.name == NAME:
            yield Form.parse(child)


def _elements(fields: Iterable[Field]) -> list[Element]:
    return [one.element() for one in fields]


def _parse_fields(parent: Element) -> tuple[Field, ...]:
    fields = tuple(Field.parse(child) for child in parent.elements() if child.name == _FIELD)
    names = [one.var for one in fields if one.var]
    if len(names) != len(set(names)):
        raise BadRequest("Two fields have the same name.")
    return fields


def _form_type(fields: Sequence[Field], kind: FormKind) -> str | None:
    """Return the form type, or None; it counts only if it is hidden, but in a submission (XEP-0068)."""
    for one in fields:
        if one.var == FORM_TYPE and (one.type is FieldType.HIDDEN or kind is FormKind.SUBMIT):
            if len(set(one.texts)) != 1:
                raise BadRequest("A form has one type.")
            return one.texts[0]
    return None


Answer = bool | str | Jid | tuple[str, ...] | tuple[Jid, ...] | None
"""What a field was answered, by its type; None is a list or an address that was left empty."""


class Answers:
    """What a submission says, checked. A field that was left out keeps its value, so ask with the current one.

    There is a getter for each type of field; another than was declared raises `Misuse`.
    """

    __slots__ = ("_answers",)

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers

    def __contains__(self, var: str) -> bool:
        return var in self._answers

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def flag(self, var: str, current: bool) -> bool:
        """Return the answer to a boolean."""
        return _typed(bool, var, self._answers.get(var, current))

    def text(self, var: str, current: str = "") -> str:
        """Return the answer to a text or a list-single; lines are joined, an empty list is an empty text."""
        answer = self._answers.get(var, current)
        return "" if answer is None else _typed(str, var, answer)

    def jid(self, var: str, current: Jid | None = None) -> Jid | None:
        """Return the answer to a jid-single; None if it was left empty."""
        answer = self._answers.get(var, current)
        return None if answer is None else _typed(Jid, var, answer)

    def texts(self, var: str, current: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the answer to a list-multi, without duplicates."""
        return tuple(_typed(str, var, one) for one in _typed(tuple, var, self._answers.get(var, tuple(current))))

    def jids(self, var: str, current: Sequence[Jid] = ()) -> tuple[Jid, ...]:
        """Return the answer to a jid-multi, without duplicates."""
        return tuple(_typed(Jid, var, one) for one in _typed(tuple, var, self._answers.get(var, tuple(current))))


def _typed(kind: type[T], var: str, answer: object) -> T:
    if not isinstance(answer, kind):
        raise Misuse(f"{var} is no {kind.__name__}")
    return answer


def read_submission(declared: Form, submitted: Form) -> Answers:
    """Check a submitted form against the one that was sent. Fields that were not declared are ignored (XEP-0004).

    :raises BadRequest: it is no submission, or that of another form type.
    :raises NotAcceptable: a required answer is missing, or one does not fit its field.
    """
    if submitted.kind is not FormKind.SUBMIT:
        raise BadRequest("A form is answered by a submission.")
    if submitted.form_type not in ("", declared.form_type):
        raise BadRequest(f"The form type is {declared.form_type}.")
    answers: dict[str, Answer] = {}
    given = {one.var: one.texts for one in submitted.fields}
    for one in declared.fields:
        texts = given.get(one.var)
        if one.required and (texts is None or _is_empty(texts)):
            raise NotAcceptable(f"{one.var} is required.")
        if texts is not None and one.type is not FieldType.FIXED:
            answers[one.var] = _READERS[one.type or FieldType.TEXT_SINGLE](one, texts)
    return Answers(answers)


def _is_empty(texts: Sequence[str]) -> bool:
    """Say whether an answer is absent: no value or an empty one (XEP-0004, Setting empty or absent values)."""
    return not any(texts)


def _single(declared: Field, texts: Sequence[str]) -> str:
    if len(texts) > 1:
        raise NotAcceptable(f"{declared.var} has one value.")
    return texts[0] if texts else ""


def _read_boolean(declared: Field, texts: Sequence[str]) -> bool:
    text = _single(declared, texts)
    if text not in ("", "0", "1", "false", "true"):
        raise NotAcceptable(f"{declared.var} is true or false.")
    return text in ("1", "true")


def _read_lines(_: Field, texts: Sequence[str]) -> str:
    return "\n".join(texts)


def _read_choices(declared: Field, texts: Sequence[str]) -> tuple[str, ...]:
    choices = {option.value for option in declared.options}
    chosen = tuple(dict.fromkeys(text for text in texts if text or text in choices))
    if choices and not choices.issuperset(chosen):
        raise NotAcceptable(f"{declared.var} has a value that was no option.")
    return chosen


def _read_choice(declared: Field, texts: Sequence[str]) -> str | None:
    _single(declared, texts)
    chosen = _read_choices(declared, texts)
    return chosen[0] if chosen else None


def _read_jids(declared: Field, texts: Sequence[str]) -> tuple[Jid, ...]:
    try:
        return tuple(dict.fromkeys(Jid.parse(text.strip()) for text in texts if text.strip()))
    except JidError:
        raise NotAcceptable(f"{declared.var} has a value that is no address.") from None


def _read_jid(declared: Field, texts: Sequence[str]) -> Jid | None:
    _single(declared, texts)
    jids = _read_jids(declared, texts)
    return jids[0] if jids else None


_READERS: Final[Mapping[FieldType, Callable[[Field, Sequence[str]], Answer]]] = {
    FieldType.BOOLEAN: _read_boolean,
    FieldType.HIDDEN: _read_lines,
    FieldType.JID_MULTI: _read_jids,
    FieldType.JID_SINGLE: _read_jid,
    FieldType.LIST_MULTI: _read_choices,
    FieldType.LIST_SINGLE: _read_choice,
    FieldType.TEXT_MULTI: _read_lines,
    FieldType.TEXT_PRIVATE: _single,
    FieldType.TEXT_SINGLE: _single,
}
