"""XEP-0133: Service Administration, and our own commands, as data forms of ad-hoc commands (XEP-0050)."""

from typing import Annotated

import pytest

from xmppd.core.accounts import Role
from xmppd.core.command_forms import ADMIN, arguments_from, form_for, note, result_element, result_form
from xmppd.core.commands import (
    Command,
    CommandError,
    Document,
    Done,
    Duration,
    Fields,
    Secret,
    Table,
    argument,
    command,
    declared_in,
)
from xmppd.protocol.dataforms import Field, FieldType, Form, FormKind, Option
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid


class Users:
    """Commands with the form fields of XEP-0133."""

    @command("user add", adhoc=f"{ADMIN}#add-user", not_kept={"surname": "Family name"})
    async def add(
        self,
        jid: Annotated[Jid, argument("The Jabber ID for the account to be added", field="accountjid")],
        password: Annotated[Secret, argument("The password for this account", verify="password-verify")],
        role: Role = Role.USER,
    ) -> None:
        """Add a user.

        Fill out this form
        to add a user.

        All of it.
        """

    @command("user delete", adhoc=f"{ADMIN}#delete-user")
    async def delete(
        self, jids: Annotated[list[Jid], argument("The Jabber ID(s) to delete", field="accountjids")]
    ) -> None:
        """Delete users."""

    @command("user list")
    async def list_all(
        self,
        limit: Annotated[int | None, argument("How many", field="max_items", options=("25", "none"))] = 25,
        all: bool = False,
        names: list[str] = [],  # noqa: B006
        text: Document | None = None,
    ) -> None:
        """List users."""

    @command("user count")
    async def count(self) -> None:
        """Count users."""


def named(name: str) -> Command:
    return next(found for found in declared_in(Users, "tests") if found.name == name)


def submitted(**fields: str | tuple[str, ...]) -> Form:
    """What a client sends back; underscores stand for hyphens."""
    answered = [Field(name.replace("_", "-"), None, value) for name, value in fields.items()]
    return Form.parse(Form(FormKind.SUBMIT, answered, ADMIN).element())


def test_add_user() -> None:
    """Add User: the form has the fields of the example, with their types."""
    form = form_for(named("user add"))
    assert form is not None
    assert (form.kind, form.form_type, form.title) == (FormKind.FORM, ADMIN, "Add a user")
    assert form.instructions == ["Fill out this form to add a user.", "All of it."], "without line breaks"
    assert form.fields == [
        Field("accountjid", FieldType.JID_SINGLE, None, "The Jabber ID for the account to be added", (), True),
        Field("password", FieldType.TEXT_PRIVATE, None, "The password for this account", (), True),
        Field("password-verify", FieldType.TEXT_PRIVATE, None, "The same again", (), True),
        Field("role", FieldType.LIST_SINGLE, "user", "role", (Option("user", "user"), Option("admin", "admin"))),
        Field("surname", FieldType.TEXT_SINGLE, None, "Family name (not kept)"),
    ]


def test_add_user_submitted() -> None:
    """Add User: the submitted form becomes the command's arguments; what is not kept is not missed."""
    form = submitted(
        accountjid="juliet@shakespeare.lit", password="R0m30", password_verify="R0m30", surname="Capulet", email="x"
    )
    arguments = named("user add").convert(arguments_from(named("user add"), form))
    assert arguments == {"jid": Jid("juliet@shakespeare.lit"), "password": "R0m30", "role": Role.USER}


def test_passwords_must_be_the_same() -> None:
    """Add User: a password that was mistyped once is refused, and not told."""
    form = submitted(accountjid="juliet@shakespeare.lit", password="R0m30", password_verify="R0me0")
    with pytest.raises(CommandError, match="not the same") as caught:
        arguments_from(named("user add"), form)
    assert "R0m30" not in str(caught.value)


def test_a_password_that_is_not_repeated() -> None:
    """Change User Password has no field for that: clients of old leave it out."""
    form = submitted(accountjid="juliet@shakespeare.lit", password="R0m30")
    assert arguments_from(named("user add"), form)["password"] == "R0m30"
    form = submitted(accountjid="juliet@shakespeare.lit", password="R0m30", password_verify="")
    with pytest.raises(CommandError, match="not the same"):
        arguments_from(named("user add"), form)


def test_delete_user() -> None:
    """Delete User: several addresses are a jid-multi, each value one of them."""
    form = form_for(named("user delete"))
    assert form is not None
    assert form.fields[0].type is FieldType.JID_MULTI
    given = arguments_from(named("user delete"), submitted(accountjids=("a@b.example", "c@b.example", "")))
    assert given == {"jids": ["a@b.example", "c@b.example"]}


def test_optional_fields() -> None:
    """Fields with defaults propose them; "none" stands for no limit, an empty field for the default."""
    form = form_for(named("user list"))
    assert form is not None
    assert form.fields == [
        Field("max_items", FieldType.LIST_SINGLE, "25", "How many", (Option("25", "25"), Option("none", "none"))),
        Field("all", FieldType.BOOLEAN, False, "all"),
        Field("names", FieldType.TEXT_MULTI, (), "names"),
        Field("text", FieldType.TEXT_MULTI, None, "text"),
    ]
    command = named("user list")
    assert command.convert(arguments_from(command, submitted()))["limit"] == 25
    form = Form(FormKind.SUBMIT, [Field("max_items", None, "none"), Field("text", None, ("a", "", "b"))])
    arguments = command.convert(arguments_from(command, form))
    assert arguments["limit"] is None
    assert arguments["text"] == "a\n\nb"


def test_one_value_is_one() -> None:
    """A field of one value with two is refused."""
    form = Form(FormKind.SUBMIT, [Field("max_items", None, ("25", "none"))])
    with pytest.raises(CommandError, match="one value"):
        arguments_from(named("user list"), form)


def test_no_parameters_no_form() -> None:
    """A command that asks for nothing is run at once."""
    assert form_for(named("user count")) is None


def test_named_fields_of_a_result() -> None:
    """Get Number of Registered Users: the result has the field that the specification names."""
    form = result_form(Fields({"accounts": 123, "seen": None, "on": True}, form={"accounts": "registeredusersnum"}))
    assert form is not None
    assert form.kind is FormKind.RESULT
    assert [(field.var, field.texts) for field in form.fields] == [
        ("registeredusersnum", ("123",)), ("seen", ("",)), ("on", ("1",)),
    ]  # fmt: skip


ACCOUNTS = [[Jid("a@b.example"), True], [Jid("c@b.example"), False], [Jid("a@b.example"), None]]


def test_list_of_a_specification() -> None:
    """Get List of Registered Users: one field with all addresses, each once, and nothing else."""
    form = result_form(Table(("account", "enabled"), ACCOUNTS, form={"account": "registereduserjids"}))
    assert form is not None
    assert [(field.var, field.texts) for field in form.fields] == [
        ("registereduserjids", ("a@b.example", "c@b.example"))
    ]
    assert (form.form_type, form.reported, form.items) == (ADMIN, (), ())


def test_table_of_our_own() -> None:
    """A table has no fields beside it, not even its type (XEP-0004, 3.4)."""
    form = result_form(Table(("account", "enabled"), ACCOUNTS[:2]))
    assert form is not None
    assert (form.fields, form.form_type) == ((), "")
    assert [field.var for field in form.reported] == ["account", "enabled"]
    assert [[field.texts for field in item] for item in form.items] == [
        [("a@b.example",), ("true",)], [("c@b.example",), ("false",)],
    ]  # fmt: skip
    assert {child.local for child in form.element().elements()} == {"reported", "item"}


def test_elements_of_a_specification() -> None:
    """Get User Roster: what is no field stands behind the fields."""
    table = Table(
        ("account",), [["a@b.example"]], form={"account": "accountjids"}, elements=[E("{jabber:iq:roster}query")]
    )
    element = result_element(table)
    assert element is not None
    assert [child.local for child in element.elements()] == ["field", "field", "query"]
    assert result_element(Done("done")) is None


def test_numbers_with_options() -> None:
    """What is proposed is one of the options."""

    class Later:
        @command("go")
        async def go(
            self,
            delay: Annotated[Duration, argument("When", options=("30", "60"))] = Duration(30),  # noqa: B008
        ) -> None:
            """Go."""

    form = form_for(declared_in(Later, "tests")[0])
    assert form is not None
    assert form.fields[0].texts == ("30",)


def test_done_is_a_note() -> None:
    """What is done is told in a note, without a form."""
    assert result_form(Done("it is done")) is None
    assert note(Done("it is done")) == "it is done"
    assert note(Fields({})) == ""
