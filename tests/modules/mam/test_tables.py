"""The key of the table of preferences. That the table is what the migrations make is `test_store`'s."""

from xmppd.modules.mam.tables import preferences


def test_key() -> None:
    """An account says once what it wants."""
    assert [column.name for column in preferences.primary_key] == ["owner"]
