"""The tables are what the migrations make of an empty database."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.storage.deployments import Deployment
from xmppd.storage.message_log.tables import log, log_cursor, log_head
from xmppd.storage.tables import metadata

OURS = {table.name for table in (log, log_head, log_cursor)}


def test_schema(deployment: Deployment) -> None:
    """A migrated shard has exactly these columns, keys and indexes."""

    def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
        table = item if kind == "table" else item.table  # type: ignore[attr-defined]
        only = item.info.get("only", dialect)  # type: ignore[attr-defined]
        return table.name in OURS and only == dialect

    dialect = deployment.databases[0].engine.dialect.name
    with deployment.databases[0].blocking() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []
