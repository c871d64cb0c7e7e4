"""Check: whether the parts of a configuration fit together."""

from collections.abc import Callable

import pytest

from xmppd.config.check import notes
from xmppd.config.server import Config

from .conftest import HOST

Loaded = Callable[..., Config]
Problems = Callable[..., list[str]]


def test_there_must_be_a_host(problems: Problems) -> None:
    """A server without one would refuse everybody."""
    assert problems("", host="") == ['hosts: there is no host: write [hosts."example.org"]']


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("certificate = 'cert.pem'", ".key: is missing: name the private key of the certificate"),
        ("key = 'cert.pem'", ".certificate: is missing: name the certificate of the key"),
        ("", ".certificate: is missing: clients connect by TLS, so name a certificate and its key"),
    ],
)
def test_a_certificate_goes_with_its_key(problems: Problems, host: str, line: str) -> None:
    """Half a pair, or none where clients connect by TLS, is told."""
    assert problems("", host=f"[hosts.'a.org']\n{host}\n") == [f'hosts."a.org"{line}']


def test_without_tls_no_certificate_is_needed(loaded: Loaded) -> None:
    """On loopback, for a benchmark say."""
    listener = "[[listeners]]\nkind = 'c2s'\ntls = 'none'\naddress = '127.0.0.1'\nscram_without_tls = true\n"
    assert loaded(listener, host="[hosts.localhost]\n").hosts


def test_a_certificate_must_be_there(problems: Problems, folder: object) -> None:
    """The whole path is told, as it may not be where one thinks."""
    assert problems("", host="[hosts.'a.org']\ncertificate = 'cert.pem'\nkey = 'lost.pem'\n") == [
        f'hosts."a.org".key = "{folder}/lost.pem": there is no such file'
    ]


def test_addresses_of_a_host_are_checked(problems: Problems) -> None:
    """Its own name, its administrators and its contacts."""
    host = """
        [hosts."Example.org"]
        certificate = "cert.pem"
        key = "cert.pem"
        admins = ["juliet@example.org", "romeo"]
        contacts.abuse = ["mailto:a@example.org", "a@example.org"]
    """
    assert problems("", host=host) == [
        'hosts."Example.org": write it as [hosts."example.org"]',
        'hosts."Example.org".admins[1] = "romeo": is no account: write it like juliet@example.org',
        'hosts."Example.org".contacts.abuse[1] = "a@example.org": is no address: write mailto:a@example.org or '
        "xmpp:a@example.org",
    ]


def listeners(*tables: str) -> str:
    return "".join(f"[[listeners]]\n{table}\n" for table in tables)


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        (("kind = 'c2s'", "kind = 'c2s'\naddress = '192.0.2.1'"),
         "listeners[1].port = 5222: listeners[0] already has this port on *: choose another one"),
        (("kind = 'http'", "kind = 'component'\nport = 5280"),
         "listeners[1].port = 5280: listeners[0] already has this port on 127.0.0.1: choose another one"),
        (("kind = 's2s'\ntls = 'none'",),
         'listeners[0].tls = "none": makes no sense for s2s: write "starttls" or "optional" or "direct"'),
        (("kind = 'http'\ntls = 'starttls'",),
         'listeners[0].tls = "starttls": makes no sense for http: write "none" or "direct"'),
        (("kind = 'c2s'\naddress = 'localhost'",),
         'listeners[0].address = "localhost": must be an IP address, or "*" for every one of this machine'),
        (("kind = 's2s'\nscram_without_tls = true",),
         "listeners[0].scram_without_tls = true: is for clients (c2s) only: remove it"),
        (("kind = 'c2s'\nscram_without_tls = true",),
         "listeners[0].scram_without_tls = true: has no effect where TLS is required: remove it, or write tls = "
         '"optional" instead of "starttls"'),
        (("kind = 'c2s'\ntls = 'none'",),
         'listeners[0].tls = "none": nobody could log in without TLS: write "starttls", or set scram_without_tls if you '
         "know why"),
    ],
)  # fmt: skip
def test_listeners_that_make_no_sense(problems: Problems, tables: tuple[str, ...], line: str) -> None:
    """Two on one port, TLS of the wrong kind, names for addresses, logins that are impossible."""
    assert problems(listeners(*tables)) == [line]


def test_listeners_that_share_no_address_may_share_a_port(loaded: Loaded) -> None:
    """And any number of them may ask the system for a port."""
    one, other = "kind = 'c2s'\naddress = '127.0.0.1'", "kind = 'c2s'\naddress = '::1'"
    assert len(loaded(listeners(one, other)).listeners) == 2
    assert len(loaded(listeners(f"{one}\nport = 0", f"{one}\nport = 0")).listeners) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("shards = []", 'shards: there is no database: write [[shards]] and url = "sqlite:///xmppd.sqlite"'),
        ("[[shards]]\nurl = 'mysql://u:hush@h/d'", 'shards[0].url = "mysql://u:***@h/d": must begin with sqlite:// or '
         "postgresql://"),
        ("[[shards]]\nurl = 'postgresql://u:hush@h/d'\n[[shards]]\nurl = 'postgresql://u:hush@h/d'",
         'shards[1].url = "postgresql://u:***@h/d": is the database of shards[0]: name each one once'),
        ("[[shards]]\nurl = 'sqlite:///a'\n[[shards]]\nurl = 'sqlite:///b/../a'",
         'shards[1].url = "sqlite:///{folder}/data/a": is the database of shards[0]: name each one once'),
    ],
)  # fmt: skip
def test_shards_are_databases_that_we_know(problems: Problems, folder: object, text: str, line: str) -> None:
    """Each once, however its file is written; passwords are not shown."""
    assert problems("", host=f"{text}\n{HOST}") == [line.replace("{folder}", str(folder))]


def test_drivers_may_be_named(loaded: Loaded) -> None:
    """As SQLAlchemy writes them."""
    assert loaded("[[shards]]\nurl = 'postgresql+psycopg2://u@h/d'\n").shards


def test_what_is_wrong_by_itself_is_not_told_twice(problems: Problems) -> None:
    """A misspelt certificate is not missed too; a wrong port does not collide."""
    host = "[hosts.'a.org']\ncertifcate = 'cert.pem'\nkey = 'cert.pem'\n"
    ports = listeners("kind = 'c2s'\nport = 70000", "kind = 'c2s'")
    assert problems(ports + "[[shards]]\nurl = 3\n", host=host) == [
        'hosts."a.org".certifcate: unknown key; did you mean "certificate"?',
        "listeners[0].port = 70000: must be 0 to 65535",
        'shards[0].url = "***": must be an address in quotes',
    ]


def test_notes_tell_what_this_version_does_not_serve(loaded: Loaded) -> None:
    """Such a listener may be configured, but nobody is told that it works."""
    config = loaded(listeners("kind = 's2s'", "kind = 'component'", "kind = 'http'\ntls = 'direct'", "kind = 'http'"))
    assert notes(config) == [
        "listeners[0] (s2s, * port 5269): not served by this version",
        "listeners[1] (component, 127.0.0.1 port 5347): not served by this version",
        "listeners[2] (http, 127.0.0.1 port 5281): not served by this version",
    ]


def test_notes_warn_of_logins_without_tls(loaded: Loaded) -> None:
    """Where only this machine can connect there is nothing to say."""
    config = loaded(
        listeners(
            "kind = 'c2s'\ntls = 'optional'\nscram_without_tls = true\naddress = '192.0.2.1'",
            "kind = 'c2s'\ntls = 'none'\nscram_without_tls = true\naddress = '::1'",
        )
    )
    assert notes(config) == [
        "listeners[0] (c2s, 192.0.2.1 port 5222): lets clients log in without TLS, though other machines can reach it"
    ]
