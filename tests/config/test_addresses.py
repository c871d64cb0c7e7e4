"""Addresses: what is accepted, and what the operator is told otherwise."""

import pytest

from xmppd.config.addresses import (
    account_problem,
    bind_problem,
    contact_problem,
    domain_problem,
    is_loopback,
    overlap,
)


@pytest.mark.parametrize(
    "domain", ["example.org", "localhost", "im.exämple.org", "192.0.2.1", "a1-b.example", "例え.jp"]
)
def test_domains_are_accepted_in_their_canonical_form(domain: str) -> None:
    """Lower case, in Unicode, without a final dot."""
    assert domain_problem(domain) == ""


@pytest.mark.parametrize(
    ("domain", "remedy"),
    [
        ("Example.ORG", 'write it as [hosts."example.org"]'),
        ("Exämple.org", 'write it as [hosts."exämple.org"]'),
        ("example.org.", 'write it as [hosts."example.org"]'),
        ("xn--exmple-cua.org", 'write it as [hosts."exämple.org"]'),
        ("2001:db8::1", "an IPv6 address cannot be a host: use a name"),
        ("", "is no domain name"),
        ("a b", "is no domain name"),
        ("-a.org", "is no domain name"),
        ("under_score.org", "is no domain name"),
        ("a..b", "is no domain name"),
        ("a" * 64 + ".org", "is no domain name"),
        ("example.org:5222", "is no domain name"),
    ],
)
def test_what_is_no_domain_has_a_remedy(domain: str, remedy: str) -> None:
    """Capitals, final dots and Punycode are told how they are written; the rest is refused."""
    assert domain_problem(domain).startswith(remedy)


def test_accounts_are_bare_jids() -> None:
    """A localpart and a domain."""
    assert account_problem("juliet@example.org") == account_problem("jülia@exämple.org") == ""


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("juliet", "is no account: write it like juliet@example.org"),
        ("@example.org", "is no account"),
        ("ju liet@example.org", "is no account"),
        ("ju:liet@example.org", "is no account"),
        ("a" * 1024 + "@example.org", "is no account"),
        ("juliet@example.org/balcony", "is a full JID: write the account alone, juliet@example.org"),
        ("juliet@", "the domain of juliet@ is none"),
        ("juliet@a@b", "the domain of juliet@a@b is none"),
    ],
)
def test_what_is_no_account_has_a_remedy(address: str, remedy: str) -> None:
    """Each mistake is told apart."""
    assert account_problem(address).startswith(remedy)


def test_contacts_are_uris() -> None:
    """XEP-0157 wants URIs; an address alone is told how to become one."""
    assert contact_problem("mailto:abuse@example.org") == contact_problem("https://example.org/") == ""
    assert contact_problem("a@b.org") == "is no address: write mailto:a@b.org or xmpp:a@b.org"
    assert contact_problem("call me") == "is no URI: write https://…"


def test_listeners_bind_ip_addresses() -> None:
    """Or every address of the machine; a name could be many."""
    assert not any(map(bind_problem, ("*", "127.0.0.1", "::1", "::", "0.0.0.0", "fe80::1%eth0")))
    assert all(map(bind_problem, ("localhost", "", "127.0.0.1:5222", "[::1]")))


def test_loopback_is_what_only_this_machine_reaches() -> None:
    """ "Every address" is not."""
    assert is_loopback("127.0.0.1") and is_loopback("::1")
    assert not is_loopback("*") and not is_loopback("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [
        ("*", "192.0.2.1", True),
        ("::1", "*", True),
        ("0.0.0.0", "192.0.2.1", True),
        ("::", "::1", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("::1", "0:0::1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("0.0.0.0", "::", False),
        ("127.0.0.1", "::1", False),
    ],
)
def test_two_listeners_exclude_each_other_on_shared_addresses(one: str, other: str, is_shared: bool) -> None:
    """IPv4 and IPv6 are bound apart."""
    assert overlap(one, other) is is_shared
