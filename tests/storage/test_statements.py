"""Prepared statements give what SQLAlchemy would give."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from tests.storage.deployments import Deployment
from xmppd.storage.statements import KEPT, Prepared, Statements

things = Table(
    "things",
    MetaData(),
    Column("name", Text, primary_key=True),
    Column("flag", Boolean),
    Column("data", LargeBinary),
    Column("ratio", Double),
    Column("price", Numeric(10, 2)),
    Column("hits", Integer, default=lambda: 7),
)


@pytest.fixture
def ask(deployment: Deployment) -> Callable[..., Any]:
    """Run one statement on the first shard: rows of a query, a count otherwise."""
    database = deployment.databases[0]
    deployment.run(database.transaction("create", things.create, None))

    def ask(statement: Any, *rows: dict[str, Any]) -> Any:
        if statement.is_select or not getattr(statement, "is_dml", False):
            return deployment.run(database.fetch("ask", statement, rows[0] if rows else {}))
        return deployment.run(database.write("ask", statement, rows or ({},), None))

    return ask


class TestValues:
    """Values come back as the Python values that went in."""

    def test_natives(self, ask: Callable[..., Any]) -> None:
        """Booleans, bytes, floats, decimals, nulls and texts of any script."""
        ask(
            insert(things),
            {"name": "été 日本 %s :x", "flag": True, "data": b"\x00\xff", "ratio": 0.1, "price": 5, "hits": 1},
        )
        ask(insert(things), {"name": "none", "flag": None, "data": None, "ratio": None, "price": None, "hits": None})

        rows = ask(select(things).order_by(things.c.name.desc()))
        assert rows == [("été 日本 %s :x", True, b"\x00\xff", 0.1, 5, 1), ("none", None, None, None, None, None)]
        assert (bool, bytes, float) == tuple(type(value) for value in rows[0][1:4])

    def test_statement_with_own_values(self, ask: Callable[..., Any]) -> None:
        """Literals in a statement need not be given."""
        ask(insert(things), {"name": "a", "hits": 3}, {"name": "b", "hits": 4})

        assert ask(select(things.c.name).where(things.c.hits > 3).limit(1)) == [("b",)]
        assert ask(select(literal("100%"))) == [("100%",)]
        assert ask(text("SELECT '100%'")) == [("100%",)]

    def test_list_of_values(self, ask: Callable[..., Any]) -> None:
        """An `in_` cannot be run raw and works all the same."""
        ask(insert(things), *({"name": name, "hits": 0} for name in "abc"))
        some = (
            select(things.c.name).where(things.c.name.in_(bindparam("names", expanding=True))).order_by(things.c.name)
        )

        assert ask(some, {"names": ["a", "c", "d"]}) == [("a",), ("c",)]
        assert ask(delete(things).where(things.c.name.in_(["a", "b"]))) == 2

    def test_python_side_default(self, ask: Callable[..., Any]) -> None:
        """So does a column whose default is computed here."""
        assert ask(insert(things), {"name": "a"}) == 1
        assert ask(insert(things), {"name": "b"}, {"name": "c"}) == 2
        assert ask(select(things.c.hits)) == [(7,), (7,), (7,)]

    def test_rows_touched(self, ask: Callable[..., Any]) -> None:
        """A write tells how many rows it touched, for one mapping and for many."""
        assert ask(insert(things), *({"name": f"{number}", "hits": number} for number in range(300))) == 300
        change = update(things).where(things.c.hits < bindparam("below")).values(ratio=bindparam("value"))
        assert ask(change, {"below": 10, "value": 1.5}) == 10
        assert ask(change, {"below": 10, "value": 2.5}, {"below": 5, "value": 3.5}) == 15
        assert ask(delete(things).where(things.c.hits > 1000)) == 0


class TestPrepared:
    """What is known of a statement before it runs."""

    @pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()])
    def test_raw(self, dialect: Any) -> None:
        """A plain statement is raw; one that has to be rendered for each call is not."""
        assert Prepared(select(things).where(things.c.name == bindparam("name")), dialect, None).raw
        assert Prepared(insert(things), dialect, ["name", "hits"]).raw
        assert not Prepared(insert(things), dialect, ["name"]).raw
        assert not Prepared(select(things).where(things.c.name.in_(["a"])), dialect, None).raw

    def test_plain_parameters_are_not_copied(self) -> None:
        """Where nothing has to be done, nothing is done."""
        prepared = Prepared(select(things.c.name).where(things.c.name == bindparam("name")), sqlite.dialect(), None)
        given = {"name": "x"}
        assert given is prepared.bind(given)


class TestStatements:
    """Each statement is prepared once."""

    def test_prepared_once(self) -> None:
        """The same constant, the same columns: the same preparation."""
        statements = Statements(sqlite.dialect())
        query, add = select(things), insert(things)

        assert statements.reading(query) is statements.reading(query)
        assert statements.writing(add, {"name": "a"}) is statements.writing(add, {"name": "b"})
        assert statements.writing(add, {"name": "a"}) is not statements.writing(add, {"name": "a", "hits": 1})

    def test_bounded(self) -> None:
        """Statements that are made anew for each call do not fill memory."""
        statements = Statements(sqlite.dialect())
        for _ in range(KEPT + 10):
            statements.reading(text("SELECT 1"))
        assert len(statements._prepared) == KEPT
