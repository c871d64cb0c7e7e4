"""Administrative commands as data forms: what an ad-hoc command (XEP-0050) asks, and how it answers.

Pure functions. The form's fields have the names that XEP-0133 gives them, where it names them, and its form type; those
of commands of our own are named like their parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..protocol.dataforms import Field, FieldType, Form, FormKind, Option
from ..protocol.element import Element
from .arguments import Kind, Parameter
from .commands import Command, CommandError, Done, Exit, Fields, Result, Table
from .results import plain

ADMIN: Final = "http://jabber.org/protocol/admin"
"""The form type of XEP-0133."""

TYPES: Final = {
    Kind.TEXT: FieldType.TEXT_SINGLE,
    Kind.JID: FieldType.JID_SINGLE,
    Kind.INTEGER: FieldType.TEXT_SINGLE,
    Kind.NUMBER: FieldType.TEXT_SINGLE,
    Kind.SWITCH: FieldType.BOOLEAN,
    Kind.DURATION: FieldType.TEXT_SINGLE,
    Kind.CHOICE: FieldType.LIST_SINGLE,
    Kind.SECRET: FieldType.TEXT_PRIVATE,
    Kind.DOCUMENT: FieldType.TEXT_MULTI,
}
SEVERAL: Final = {FieldType.JID_SINGLE: FieldType.JID_MULTI, FieldType.LIST_SINGLE: FieldType.LIST_MULTI}


def form_for(command: Command) -> Form | None:
    """Return the form that asks for a command's arguments, or None if it takes none."""
    if not command.parameters:
        return None
    fields = [field for parameter in command.parameters for field in _fields(parameter)]
    fields += [
        Field(var, FieldType.TEXT_SINGLE, None, f"{label} (not kept)")
        for var, label in command.declaration.not_kept.items()
    ]
    return Form(FormKind.FORM, fields, ADMIN, command.summary, _paragraphs(command.help))


def _paragraphs(text: str) -> list[str]:
    """Return a text as instructions: one for each paragraph, without line breaks (XEP-0004, 3.1)."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if paragraph.strip()]


def _fields(parameter: Parameter) -> list[Field]:
    """Return the field of a parameter, and for a secret the one that repeats it, where its specification has one."""
    label = parameter.argument.help or parameter.option
    fields = [_field(parameter, label)]
    if parameter.argument.verify:
        verify = Field(
            parameter.argument.verify, FieldType.TEXT_PRIVATE, None, "The same again", (), parameter.required
        )
        fields.append(verify)
    return fields


def _field(parameter: Parameter, label: str) -> Field:
    options = tuple(Option(value, value) for value in parameter.argument.options or parameter.choices)
    kind = FieldType.LIST_SINGLE if options else TYPES[parameter.kind]
    if parameter.many:
        kind = SEVERAL.get(kind, FieldType.TEXT_MULTI)
    return Field(parameter.field, kind, _default(parameter), label, options, parameter.required)


def _default(parameter: Parameter) -> bool | str | tuple[str, ...] | None:
    """Return what a form proposes: the parameter's default, but never that of a secret."""
    default = plain(parameter.default)
    if default is None or parameter.kind is Kind.SECRET:
        return None
    if isinstance(default, bool):
        return default
    if isinstance(default, float):
        return f"{default:g}"
    return tuple(map(str, default)) if isinstance(default, list) else str(default)


def arguments_from(command: Command, form: Form) -> dict[str, object]:
    """Return the arguments in a submitted form, as `Command.convert` takes them; it checks them.

    A field that is left out or empty stands for the parameter's default; a repetition that is left out is not missed.

    :raises CommandError: a secret and its repetition differ.
    """
    arguments: dict[str, object] = {}
    for parameter in command.parameters:
        given = _texts(form, parameter.field)
        if (again := form.get(parameter.argument.verify or "")) is not None and again.texts != given:
            raise CommandError(f"{parameter.option} is not the same in both fields", code=Exit.USAGE)
        if any(given):
            arguments[parameter.name] = _given(parameter, given)
    return arguments


def _texts(form: Form, var: str) -> Sequence[str]:
    field = form.get(var)
    return () if field is None else field.texts


def _given(parameter: Parameter, texts: Sequence[str]) -> object:
    if parameter.many:
        return [text for text in texts if text]
    if parameter.kind is Kind.DOCUMENT:
        return "\n".join(texts)
    if len(texts) > 1:
        raise CommandError(f"{parameter.option} takes one value", code=Exit.USAGE)
    return texts[0]


def result_form(result: Result) -> Form | None:
    """Return the form that shows a result; None where a note says it all (see `note`).

    A table with columns that a specification names has a field with many values for each of these, as XEP-0133 shows
    lists, and nothing else; any other is a table of the form (XEP-0004, 3.4), which has no fields beside it.
    """
    if isinstance(result, Done):
        return None
    if isinstance(result, Fields):
        fields = [_shown(result.form.get(name, name), name, value) for name, value in result.values.items()]
        return Form(FormKind.RESULT, fields, ADMIN, result.title)
    return _table(result)


def result_element(result: Result) -> Element | None:
    """Return what an ad-hoc command shows of a result: its form, with the elements that a specification puts there."""
    form = result_form(result)
    if form is None or isinstance(result, Done):
        return None
    element = form.element()
    element.children.extend(result.elements)
    return element


def _table(table: Table) -> Form:
    if table.form:
        named = [
            _shown(table.form[name], name, _distinct(row[number] for row in table.rows))
            for number, name in enumerate(table.columns)
            if name in table.form
        ]
        return Form(FormKind.RESULT, named, ADMIN, table.title)
    reported = [Field(name, FieldType.TEXT_SINGLE, None, _label(name)) for name in table.columns]
    items = [
        [Field(name, None, _text(value)) for name, value in zip(table.columns, row, strict=True)] for row in table.rows
    ]
    return Form(FormKind.RESULT, (), "", table.title, (), reported, items)


def _distinct(values: Iterable[object]) -> list[str]:
    """Return values as text, each once."""
    return list(dict.fromkeys(_text(value) for value in values))


def note(result: Result) -> str:
    """Return what a result says in a sentence; empty if it is all in its form."""
    return result.text if isinstance(result, Done) else ""


def _shown(var: str, name: str, value: object) -> Field:
    shown = plain(value)
    if isinstance(shown, bool):
        return Field(var, FieldType.BOOLEAN, shown, _label(name))
    if isinstance(shown, list):
        return Field(var, FieldType.TEXT_MULTI, [_text(item) for item in shown], _label(name))
    return Field(var, FieldType.TEXT_SINGLE, _text(shown), _label(name))


def _text(value: object) -> str:
    shown = plain(value)
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, Mapping):
        return ", ".join(f"{key}={_text(item)}" for key, item in shown.items())
    return ", ".join(_text(item) for item in shown) if isinstance(shown, list) else str(shown)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
