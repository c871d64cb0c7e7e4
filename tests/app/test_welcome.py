"""Welcome: a newcomer learns where the server is and what to type."""

from pathlib import Path

from xmppd.app.first_run import FirstRun, NewAccount
from xmppd.app.welcome import welcome
from xmppd.config.server import Config, Host, Kind, Listener, Tls
from xmppd.core.accounts import Role

RUN = FirstRun(Path("var/xmppd.toml"), ())
MADE = [NewAccount("admin@localhost", "bada-boom", Role.ADMIN), NewAccount("alice@localhost", "lala-land", Role.USER)]


def config(*listeners: Listener) -> Config:
    made = Config(hosts={"localhost": Host(certificate=Path("/var/localhost.crt"), key=Path("/var/localhost.key"))})
    made.listeners = list(listeners) or made.listeners
    return made


def test_it_tells_where_the_server_listens() -> None:
    """Every listener that is served, with what it is for."""
    text = welcome(
        config(
            Listener(kind=Kind.C2S, address="127.0.0.1"),
            Listener(kind=Kind.C2S, tls=Tls.DIRECT, address="::1", port=5223),
            Listener(kind=Kind.C2S, tls=Tls.OPTIONAL, port=5224),
            Listener(kind=Kind.HTTP, tls=Tls.NONE, address="127.0.0.1", port=5280),
            Listener(kind=Kind.S2S, port=5269),
        ),
        RUN,
        MADE,
    )
    assert text.startswith(
        """\
xmppd is running.

It listens on
  127.0.0.1:5222         clients, STARTTLS
  [::1]:5223             clients, TLS from the first byte
  every address, 5224    clients, STARTTLS if the client wants it
  127.0.0.1:5280         browsers and metrics, without TLS

These accounts are new. Their passwords are told only now:
  admin@localhost    password bada-boom   (admin)
  alice@localhost    password lala-land   (user)

"""
    )
    assert "5269" not in text


def test_it_tells_what_to_do_in_each_client() -> None:
    """The user's account, not the administrator's; accepting the certificate included."""
    text = welcome(config(), RUN, MADE)
    for name in ("Gajim", "Dino", "Conversations", "profanity"):
        assert f"\n  {name} " in text
    assert "/connect alice@localhost server 127.0.0.1 port 5222" in text
    assert "/tls always" in text
    assert "sudo trust anchor /var/localhost.crt" in " ".join(text.split())
    assert "var/xmppd.toml" in text
    assert "The log is" not in text


def test_it_tells_where_the_log_is() -> None:
    """If it is not before one's eyes."""
    made = config()
    made.log.file = Path("/var/xmppd.log")
    assert " The log is /var/xmppd.log. Ctrl-C stops the server." in welcome(made, RUN, MADE)


def test_a_later_run_tells_no_passwords() -> None:
    """They are not known any more, but can be set."""
    text = welcome(config(), RUN, [])
    assert "xmppctl account passwd" in text
    assert "alice@localhost" in text
    assert "password bada-boom" not in text


def test_without_a_port_for_clients_there_is_nothing_to_explain() -> None:
    """An operator who has changed the listeners knows what to do."""
    assert "Gajim" not in welcome(config(Listener(kind=Kind.HTTP, tls=Tls.NONE)), RUN, [])


def test_it_fits_a_terminal() -> None:
    """Wrapped at 100 columns."""
    assert max(map(len, welcome(config(), RUN, MADE).splitlines())) <= 100
