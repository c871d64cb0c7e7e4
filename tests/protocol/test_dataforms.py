"""Data Forms: XEP-0004, with XEP-0068."""

from collections.abc import Sequence

import pytest

from xmppd.protocol.dataforms import (
    Field,
    FieldType,
    Form,
    FormKind,
    Option,
    find_form,
    parse_forms,
    read_submission,
)
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, Misuse, NotAcceptable, StanzaError
from xmppd.protocol.jid import Jid

NS = "jabber:x:data"
MAXIMA = tuple(Option(number, number) for number in ("10", "20", "none"))

BOT = Form(
    FormKind.FORM,
    title="Bot Configuration",
    instructions=["Fill out this form to configure your new bot!"],
    form_type="jabber:bot",
    fields=[
        Field("", FieldType.FIXED, "Section 1: Bot Info"),
        Field("botname", FieldType.TEXT_SINGLE, label="The name of your bot"),
        Field("description", FieldType.TEXT_MULTI, "one\ntwo"),
        Field("public", FieldType.BOOLEAN, True, required=True),
        Field("password", FieldType.TEXT_PRIVATE),
        Field("features", FieldType.LIST_MULTI, ["news"], options=[Option("news", "News"), Option("polls")]),
        Field("maxsubs", FieldType.LIST_SINGLE, 20, options=MAXIMA),
        Field("owner", FieldType.JID_SINGLE, Jid("romeo@montague.net")),
        Field("invitelist", FieldType.JID_MULTI, desc="Tell all your friends!"),
        Field("session", FieldType.HIDDEN, "s1"),
        Field("open", FieldType.LIST_SINGLE),
    ],
)


def field(var: str, *values: str, **attributes: str) -> Element:
    return E(f"{{{NS}}}field", *[E(f"{{{NS}}}value", value) for value in values], var=var, **attributes)


def submit(*fields: Element, kind: str = "submit") -> Form:
    return Form.parse(E(f"{{{NS}}}x", *fields, type=kind))


def filled_in(**answers: Sequence[str]) -> Form:
    """A submission with the required answer and these."""
    given: dict[str, Sequence[str]] = {"public": ["1"], **answers}
    return submit(*[field(var, *values) for var, values in given.items()])


def test_a_form_as_it_is_sent() -> None:
    """Examples, Configuration: Service Returns Bot Creation Form."""
    form = Form(
        FormKind.FORM,
        form_type="jabber:bot",
        title="Bot Configuration",
        instructions=["Fill out", "this form"],
        fields=[
            Field("", FieldType.FIXED, "Section 1"),
            Field("public", FieldType.BOOLEAN, False, label="Public bot?", required=True),
            Field("maxsubs", FieldType.LIST_SINGLE, 20, options=[Option("20", "20"), Option("none")]),
            Field("invitelist", FieldType.JID_MULTI, desc="Tell all!"),
        ],
    )
    assert form.element() == E(
        f"{{{NS}}}x",
        E(f"{{{NS}}}title", "Bot Configuration"),
        E(f"{{{NS}}}instructions", "Fill out"),
        E(f"{{{NS}}}instructions", "this form"),
        field("FORM_TYPE", "jabber:bot", type="hidden"),
        E(f"{{{NS}}}field", E(f"{{{NS}}}value", "Section 1"), type="fixed"),
        E(
            f"{{{NS}}}field",
            E(f"{{{NS}}}required"),
            E(f"{{{NS}}}value", "0"),
            var="public",
            type="boolean",
            label="Public bot?",
        ),
        E(
            f"{{{NS}}}field",
            E(f"{{{NS}}}value", "20"),
            E(f"{{{NS}}}option", E(f"{{{NS}}}value", "20"), label="20"),
            E(f"{{{NS}}}option", E(f"{{{NS}}}value", "none")),
            var="maxsubs",
            type="list-single",
        ),
        E(f"{{{NS}}}field", E(f"{{{NS}}}desc", "Tell all!"), var="invitelist", type="jid-multi"),
        type="form",
    )


@pytest.mark.parametrize(
    ("value", "kind", "texts"),
    [
        (None, None, ()),
        (True, FieldType.BOOLEAN, ("1",)),
        (False, FieldType.BOOLEAN, ("0",)),
        (7, None, ("7",)),
        ("a\nb", FieldType.TEXT_SINGLE, ("a\nb",)),
        ("a\nb\n", FieldType.TEXT_MULTI, ("a", "b")),
        (["a", "b"], FieldType.TEXT_MULTI, ("a", "b")),
        (Jid("a@b"), FieldType.JID_SINGLE, ("a@b",)),
    ],
)
def test_values_as_texts(value: bool | int | str | None, kind: FieldType | None, texts: tuple[str, ...]) -> None:
    """Field Types: one value for each line or choice."""
    assert Field("f", kind, value).texts == texts
    assert {type(text) for text in Field("f", kind, value).texts} <= {str}


def test_a_form_comes_back() -> None:
    """What was built is parsed to the same XML."""
    assert Form.parse(BOT.element()).element() == BOT.element()
    assert Form.parse(BOT.element()).form_type == "jabber:bot"
    assert BOT.get("maxsubs") is not None
    assert BOT.get("FORM_TYPE") is None


def test_results_in_a_table() -> None:
    """Multiple Items in Form Results."""
    form = Form(
        FormKind.RESULT,
        title="Joogle Search: verona",
        reported=[Field("name", FieldType.TEXT_SINGLE, label="Name")],
        items=[[Field("name", value="Comune di Verona")], [Field("name", value="benvenuto!")]],
    )
    element = form.element()
    assert [child.local for child in element.elements()] == ["title", "reported", "item", "item"]
    assert Form.parse(element).element() == element
    assert [item[0].texts for item in Form.parse(element).items] == [("Comune di Verona",), ("benvenuto!",)]


def test_an_unknown_field_type_is_text_single() -> None:
    """Field Types: that type is the default."""
    assert Field.parse(field("f", "x", type="colour")).type is FieldType.TEXT_SINGLE
    assert Field.parse(field("f", "x")).type is None


@pytest.mark.parametrize(
    "element",
    [
        E(f"{{{NS}}}x"),
        E(f"{{{NS}}}x", type="error"),
        E(f"{{{NS}}}y", type="form"),
        E(f"{{{NS}}}x", field("a"), field("a"), type="submit"),
        E(f"{{{NS}}}x", E(f"{{{NS}}}item", field("a"), field("a")), type="result"),
        E(f"{{{NS}}}x", field("FORM_TYPE"), type="submit"),
        E(f"{{{NS}}}x", field("FORM_TYPE", "a", "b", type="hidden"), type="result"),
    ],
)
def test_malformed_forms(element: Element) -> None:
    """Protocol: a form has a type, and each field a name of its own."""
    with pytest.raises(BadRequest):
        Form.parse(element)


@pytest.mark.parametrize(
    ("kind", "attributes", "form_type"),
    [
        ("result", {"type": "hidden"}, "urn:x"),
        ("result", {}, ""),
        ("form", {"type": "text-single"}, ""),
        ("submit", {}, "urn:x"),
        ("submit", {"type": "hidden"}, "urn:x"),
    ],
)
def test_a_form_type_is_hidden(kind: str, attributes: dict[str, str], form_type: str) -> None:
    """XEP-0068: a FORM_TYPE that is not hidden counts in submissions only; else it is a field like any other."""
    form = submit(field("FORM_TYPE", "urn:x", **attributes), kind=kind)
    assert form.form_type == form_type
    assert (form.get("FORM_TYPE") is None) is bool(form_type)


def test_forms_of_an_element() -> None:
    """A payload may hold several forms."""
    bot, other = BOT.element(), Form(FormKind.RESULT, form_type="urn:other").element()
    parent = E("{urn:x}query", "text", E("{urn:x}y"), bot, other)
    assert [form.form_type for form in parse_forms(parent)] == ["jabber:bot", "urn:other"]
    found = find_form(parent, "urn:other")
    assert found is not None
    assert found.kind is FormKind.RESULT
    first = find_form(parent)
    assert first is not None
    assert first.form_type == "jabber:bot"
    assert find_form(parent, "urn:none") is None
    assert find_form(E("{urn:x}query")) is None


def test_a_submission_is_read_by_type() -> None:
    """Examples, Configuration: User Submits Bot Creation Form."""
    answers = read_submission(
        BOT,
        submit(
            field("FORM_TYPE", "jabber:bot", type="hidden"),
            field("botname", "The Jabber Google Bot"),
            field("description", "This bot", "googles"),
            field("public", "true"),
            field("password", "v3r0na"),
            field("features", "polls", "news", "polls"),
            field("maxsubs", "none"),
            field("owner", " Juliet@capulet.com "),
            field("invitelist", "juliet@capulet.com", "", "JULIET@capulet.com", "benvolio@montague.net"),
            field("session", "s1"),
            field("open", "anything"),
            field("unknown", "ignored"),
        ),
    )
    assert answers.text("botname") == "The Jabber Google Bot"
    assert answers.text("description") == "This bot\ngoogles"
    assert answers.flag("public", False) is True
    assert answers.text("password") == "v3r0na"
    assert answers.texts("features") == ("polls", "news")
    assert answers.text("maxsubs") == "none"
    assert answers.jid("owner") == "juliet@capulet.com"
    assert answers.jids("invitelist") == ("juliet@capulet.com", "benvolio@montague.net")
    assert answers.text("session") == "s1"
    assert answers.text("open") == "anything"
    assert "unknown" not in answers
    assert "FORM_TYPE" not in answers
    assert set(answers) == {one.var for one in BOT.fields if one.var}


def test_what_was_left_out_keeps_its_value() -> None:
    """Incomplete Submission Form Handling."""
    answers = read_submission(BOT, filled_in())
    assert list(answers) == ["public"]
    assert answers.text("botname", "old") == "old"
    assert answers.texts("features", ["news"]) == ("news",)
    assert answers.jid("owner", Jid("a@b")) == "a@b"
    assert answers.jids("invitelist", [Jid("a@b")]) == ("a@b",)
    assert answers.flag("other", True) is True


@pytest.mark.parametrize("nothing", [[], [""]])
def test_what_was_emptied_is_empty(nothing: list[str]) -> None:
    """Setting empty or absent values: no value and an empty one are alike."""
    emptied = {one.var: nothing for one in BOT.fields if one.var and one.var != "public"}
    answers = read_submission(BOT, filled_in(**emptied))
    assert answers.text("botname", "old") == ""
    assert answers.text("description", "old") == ""
    assert answers.text("maxsubs", "20") == ""
    assert answers.texts("features", ["news"]) == ()
    assert answers.jid("owner", Jid("a@b")) is None
    assert answers.jids("invitelist", [Jid("a@b")]) == ()
    assert answers.text("open", "old") == ""
    lenient = Form(FormKind.FORM, [Field("flag", FieldType.BOOLEAN)])
    assert read_submission(lenient, submit(field("flag", *nothing))).flag("flag", True) is False


def test_an_empty_option_can_be_chosen() -> None:
    """Field Types: an option's value may be empty."""
    form = Form(FormKind.FORM, [Field("one", FieldType.LIST_MULTI, options=[Option(""), Option("a")])])
    assert read_submission(form, submit(field("one", "", "a"))).texts("one") == ("", "a")


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_booleans(text: str, flag: bool) -> None:
    """Field Types: both styles of xs:boolean."""
    assert read_submission(BOT, filled_in(public=[text])).flag("public", not flag) is flag


@pytest.mark.parametrize(
    "answers",
    [
        {"public": ["yes"]},
        {"public": ["True"]},
        {"public": ["1", "1"]},
        {"public": []},
        {"public": [""]},
        {"botname": ["a", "b"]},
        {"password": ["a", "b"]},
        {"maxsubs": ["11"]},
        {"maxsubs": ["10", "20"]},
        {"features": ["news", "weather"]},
        {"owner": ["@"]},
        {"owner": ["a@b", "c@d"]},
        {"invitelist": ["a@b", "a@"]},
    ],
)
def test_answers_that_do_not_fit(answers: dict[str, list[str]]) -> None:
    """Data Validation: not-acceptable, with an explanation that names the field."""
    with pytest.raises(NotAcceptable) as refusal:
        read_submission(BOT, filled_in(**answers))
    assert next(iter(answers)) in refusal.value.text


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (submit(), NotAcceptable),
        (submit(field("public", "1"), kind="result"), BadRequest),
        (submit(kind="cancel"), BadRequest),
        (submit(field("FORM_TYPE", "jabber:other"), field("public", "1")), BadRequest),
    ],
)
def test_what_is_no_submission_of_this_form(form: Form, error: type[StanzaError]) -> None:
    """Form Types: required fields are there, and the form is the one that was asked for."""
    with pytest.raises(error):
        read_submission(BOT, form)


def test_asking_for_another_type_is_our_own_mistake() -> None:
    """The getter must fit the declared field."""
    answers = read_submission(BOT, filled_in(botname=["x"], features=["news"]))
    for wrong in (answers.jid, answers.texts, answers.jids):
        with pytest.raises(Misuse):
            wrong("botname")
    with pytest.raises(Misuse):
        answers.flag("botname", True)
    with pytest.raises(Misuse):
        answers.text("public")
    with pytest.raises(Misuse):
        answers.jids("features")
