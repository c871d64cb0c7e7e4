"""Server: the declarations hold what the specifications and the rest of the house rely on."""

from xmppd.config.server import (
    LISTENER_DEFAULTS,
    UNSERVED,
    Config,
    Host,
    Kind,
    Listener,
    Store,
    Tls,
    default_listeners,
    default_shards,
)


def test_clients_are_served_on_the_registered_ports_by_tls() -> None:
    """RFC 6120, 14.7 and XEP-0368: STARTTLS on 5222, direct TLS on 5223; HTTP only for this machine."""
    assert default_listeners() == [
        Listener(kind=Kind.C2S, tls=Tls.STARTTLS, address="*", port=5222),
        Listener(kind=Kind.C2S, tls=Tls.DIRECT, address="*", port=5223),
        Listener(kind=Kind.HTTP, tls=Tls.NONE, address="127.0.0.1", port=5280),
    ]
    assert not any(listener.scram_without_tls or listener.proxy_protocol for listener in default_listeners())


def test_one_database_file_is_all_that_is_needed() -> None:
    """No other service must run."""
    assert [shard.url for shard in default_shards()] == ["sqlite:///xmppd.sqlite"]


def test_configurations_do_not_share_their_defaults() -> None:
    """Two servers in one process are apart."""
    one, other = Config(), Config()
    one.listeners.clear()
    one.limits.depth = 8
    one.modules.configs["x"] = 1
    assert len(other.listeners) == 3 and other.limits.depth == 64 and other.modules.configs == {}


def test_what_is_not_served_has_a_default_port_nevertheless() -> None:
    """The schema knows it; only the notes tell that it does not work yet."""
    assert {kind for kind, _ in LISTENER_DEFAULTS} == set(Kind)
    assert not any(kind is Kind.C2S for kind, _ in UNSERVED)


def test_only_the_owner_may_administer() -> None:
    """The socket's mode lets nobody else in."""
    assert Config().admin.mode == 0o600


def test_messages_are_kept_for_ever() -> None:
    """Nobody loses a message because nobody thought of an option."""
    assert (Host().store, Host().retention) == (Store.ALWAYS, None)
