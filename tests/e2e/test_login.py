"""RFC 6120, 5 to 7: every way to a session, and what is refused on it."""

import pytest

from .cast import PASSWORD, Cast
from .client import LoginFailed
from .deployment import CAPULET, GUESTS, MONTAGUE
from .raw import SASL, STREAM, TLS, Ended, mechanisms

SCRAM = ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.mark.parametrize("role", ["starttls", "direct"])
@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
async def test_slixmpp_logs_in(cast: Cast, role: str, mechanism: str) -> None:
    """6: by every mechanism with a password, under STARTTLS and under direct TLS with ALPN (XEP-0368)."""
    romeo = await cast.connected("romeo", "orchard", role=role, mechanism=mechanism)
    assert romeo.boundjid == f"{cast.account('romeo')}/orchard"
    await romeo.barrier()


async def test_every_host_has_accounts_of_its_own(cast: Cast) -> None:
    """RFC 6120, 4.7.2: the stream's `to` says which; its certificate is that host's."""
    juliet = await cast.connected("juliet", host=CAPULET)
    romeo = await cast.connected("romeo", host=MONTAGUE)
    assert (juliet.boundjid.domain, romeo.boundjid.domain) == (CAPULET, MONTAGUE)


async def test_nothing_is_offered_before_tls_but_tls(cast: Cast) -> None:
    """5.3.1: TLS is mandatory to negotiate, so no mechanism is named before it."""
    raw = await cast.raw()
    features = await raw.opens(CAPULET)
    assert features.find(f"{TLS}starttls/{TLS}required") is not None
    assert mechanisms(features) == set()


async def test_a_password_in_the_clear_closes_the_stream(cast: Cast) -> None:
    """13.8.1: who authenticates before TLS is not listened to."""
    raw = await cast.raw()
    await raw.opens(CAPULET)
    await raw.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>")
    assert await raw.receives_stream_error() == "policy-violation"


async def test_direct_tls_agrees_on_the_protocol(cast: Cast) -> None:
    """XEP-0368: ALPN names xmpp-client; mechanisms are offered at once, TLS is not offered again."""
    raw = await cast.raw("direct")
    await raw.begins_tls(cast.context(), CAPULET, ["http/1.1", "xmpp-client"])
    assert raw.protocol == "xmpp-client"
    features = await raw.opens(CAPULET)
    assert mechanisms(features) >= {"PLAIN", *SCRAM}
    assert features.find(f"{TLS}starttls") is None


async def test_passwords_may_be_tried_again_on_one_stream(cast: Cast) -> None:
    """6.4.5: a failure leaves the stream as it was; browsers' clients ask for the password again on it."""
    user = cast.account("romeo").partition("@")[0]
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-256", user, "wrong") == "not-authorized"
    assert await raw.authenticates("PLAIN", user, "wrong again") == "not-authorized"
    assert await raw.authenticates("SCRAM-SHA-1", user, PASSWORD) == "success"
    assert await raw.binds(CAPULET, "balcony") == f"{cast.account('romeo')}/balcony"


async def test_a_stream_has_few_tries(cast: Cast) -> None:
    """6.4.4: behind the last one (`limits.login_tries`) the stream is closed."""
    user = cast.account("romeo").partition("@")[0]
    raw = await cast.secured()
    await raw.opens(CAPULET)
    for _ in range(3):
        assert await raw.authenticates("PLAIN", user, "wrong") == "not-authorized"
    assert await raw.receives_stream_error() == "policy-violation"


@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
async def test_an_unknown_account_looks_like_a_wrong_password(cast: Cast, mechanism: str) -> None:
    """6.5.10: nobody learns which accounts there are."""
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert await raw.authenticates(mechanism, "mercutio-who-is-dead", PASSWORD) == "not-authorized"


async def test_slixmpp_is_told_of_a_wrong_password(cast: Cast) -> None:
    """It tries what it can and gives up."""
    client = cast.client(cast.account("romeo"), password="wrong", mechanism="SCRAM-SHA-1")
    with pytest.raises(LoginFailed):
        await client.logs_in(cast.deployment.place("starttls"))


async def test_a_mechanism_that_is_not_offered_is_refused(cast: Cast) -> None:
    """6.5.7."""
    raw = await cast.secured()
    await raw.opens(CAPULET)
    answer = await raw.says("ANONYMOUS")
    assert answer.find(f"{SASL}invalid-mechanism") is not None


async def test_anybody_may_be_a_guest_where_the_host_says_so(cast: Cast) -> None:
    """XEP-0175: an account that lives as long as its session, and has no roster to speak of."""
    guest = cast.client(GUESTS, mechanism="ANONYMOUS")
    await guest.logs_in(cast.deployment.place("starttls"))
    other = cast.client(GUESTS, mechanism="ANONYMOUS")
    await other.logs_in(cast.deployment.place("starttls"))
    assert guest.boundjid.domain == GUESTS
    assert guest.boundjid.user
    assert guest.boundjid.user != other.boundjid.user
    guest.send_message(other.boundjid, "who is there?", mtype="chat")
    assert (await other.message())["body"] == "who is there?"


async def test_a_host_that_does_not_live_here(cast: Cast) -> None:
    """4.9.3.6."""
    raw = await cast.raw()
    await raw.sends(
        "<stream:stream to='verona.example' version='1.0' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    assert await raw.receives_stream_error() == "host-unknown"


async def test_what_is_injected_behind_starttls_is_never_read(cast: Cast) -> None:
    """5.4.3.3: bytes in the clear behind the request end the stream; they could be anybody's."""
    raw = await cast.raw()
    await raw.opens(CAPULET)
    await raw.sends(
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"
    )
    assert await raw.receives_stream_error() == "policy-violation"


async def test_the_same_resource_again_ends_the_older_session(cast: Cast) -> None:
    """7.7.2.2: the newer one wins, as a client that lost its connection wants it."""
    older = await cast.connected("romeo", "orchard")
    newer = await cast.connected("romeo", "orchard")
    assert await older.gone == "conflict"
    await newer.barrier()


async def test_a_disabled_account_is_out_at_once(cast: Cast) -> None:
    """Its sessions end, and it cannot come back until it is enabled."""
    romeo = await cast.online("romeo")
    jid = cast.account("romeo")
    cast.deployment.admin("account", "disable", jids=[jid])
    assert await romeo.gone == "policy-violation"
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-256", jid.partition("@")[0], PASSWORD) == "account-disabled"
    cast.deployment.admin("account", "enable", jids=[jid])
    assert await raw.authenticates("SCRAM-SHA-256", jid.partition("@")[0], PASSWORD) == "success"


async def test_a_deleted_account_is_gone(cast: Cast) -> None:
    """Its session ends, whoever knew it is told, and its password is worth nothing."""
    romeo, juliet = await cast.online("romeo"), await cast.online("juliet")
    await cast.friends(romeo, juliet)
    jid = cast.account("romeo")
    cast.deployment.admin("account", "delete", jids=[jid])
    assert await romeo.gone in ("policy-violation", "not-authorized")
    seen = {(await juliet.presence())["type"] for _ in range(3)}
    assert seen == {"unavailable", "unsubscribe", "unsubscribed"}
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-256", jid.partition("@")[0], PASSWORD) == "not-authorized"


async def test_streams_end_in_good_order(cast: Cast) -> None:
    """4.4: the end tag is answered by the server's, and TLS by its close_notify."""
    raw = await cast.session("romeo")
    await raw.sends("</stream:stream>")
    with pytest.raises(Ended):
        await raw.receives()
    assert raw.stream_ended


async def test_features_behind_authentication(cast: Cast) -> None:
    """7.3.1: resource binding, and what modules add to it."""
    raw = await cast.secured()
    await raw.opens(CAPULET)
    await raw.authenticates("PLAIN", cast.account("romeo").partition("@")[0], PASSWORD)
    features = await raw.opens(CAPULET)
    assert features.tag == f"{STREAM}features"
    names = {child.tag for child in features}
    assert names >= {
        "{urn:ietf:params:xml:ns:xmpp-bind}bind",
        "{urn:ietf:params:xml:ns:xmpp-session}session",
        "{urn:xmpp:features:rosterver}ver",
        "{urn:xmpp:stream-limits:0}limits",
    }
