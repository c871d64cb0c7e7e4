"""Options of archives."""

from xmppd.config.schema import options
from xmppd.modules.mam.options import Config, Default


def test_all_is_archived_unless_somebody_says_otherwise() -> None:
    """XEP-0441, Introduction: clients synchronise by the archive, so preferences are for those who know."""
    config = Config()
    assert config.default is Default.ALWAYS
    assert config.hosts == {}


def test_bounds() -> None:
    """A client that says nothing gets no larger page than one that asks for a large one; all changes live."""
    config = Config()
    assert config.page <= config.largest_page
    assert all(option.live for option in options(Config))
