"""XEP-0388 with XEP-0386, XEP-0474 and XEP-0480, in raw XML over TLS: no library that is at hand speaks them."""

import hashlib
from base64 import b64decode, b64encode

import pytest

from tests.scenario.sasl2 import BIND, LAPTOP, SASL2, authenticate, user_agent
from tests.scenario.xml import show

from .cast import PASSWORD, Cast
from .deployment import CAPULET, MONTAGUE
from .raw import Raw
from .returning import by_scram, condition, header, identifier, outcome, secured
from .scram import Scram

BOUND = "{urn:xmpp:bind:0}bound"


async def ready(cast: Cast, account: str) -> Raw:
    """Return a connection with TLS and an open stream."""
    raw = await secured(cast)
    await raw.sends(header(account))
    await raw.receives()
    return raw


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS"])
async def test_password_and_resource(cast: Cast, mechanism: str) -> None:
    """Two round trips to a session: the challenge, and the success with the full JID."""
    account = cast.account("romeo")
    raw = await ready(cast, account)
    success = await by_scram(raw, account, user_agent(), BIND, mechanism=mechanism)
    assert identifier(success).startswith(f"{account}/AwesomeXMPP/")
    assert success.find(f"{BOUND}/{{urn:xmpp:mam:2}}metadata") is not None
    await raw.pings(CAPULET)


async def test_what_can_be_asked_for(cast: Cast) -> None:
    """What Conversations, Monal and Dino look for in the features."""
    raw = await secured(cast)
    features = await raw.opens(CAPULET)
    inline = features.find(f"{SASL2}authentication/{SASL2}inline")
    assert inline is not None
    for name in ("{urn:xmpp:bind:0}bind", "{urn:xmpp:sm:3}sm", "{urn:xmpp:fast:0}fast"):
        assert inline.find(name) is not None, name
    enabled = {each.get("var") for each in inline.iter("{urn:xmpp:bind:0}feature")}
    assert enabled >= {"urn:xmpp:carbons:2", "urn:xmpp:csi:0", "urn:xmpp:sm:3"}
    assert features.find("{urn:xmpp:sasl-cb:0}sasl-channel-binding") is not None


async def test_plain_in_one_round_trip(cast: Cast) -> None:
    """Even a password goes in one: header, login and first stanza together."""
    account = cast.account("romeo")
    raw = await secured(cast)
    said = f"\0{account.partition('@')[0]}\0{PASSWORD}".encode()
    await raw.sends(header(account) + authenticate("PLAIN", said, user_agent(), BIND) + "<presence/>")
    await raw.receives()
    jid = identifier(await outcome(raw))
    presence = await raw.receives()
    assert (presence.tag, presence.get("from")) == ("{jabber:client}presence", jid)


async def test_not_before_tls(cast: Cast) -> None:
    """XEP-0388, Security Considerations: nothing of it in the clear."""
    raw = await cast.raw()
    features = await raw.opens(CAPULET)
    assert features.find(f"{SASL2}authentication") is None
    await raw.sends(authenticate("PLAIN", b"\0a\0b"))
    assert await raw.receives_stream_error() == "policy-violation"


async def test_under_starttls(cast: Cast) -> None:
    """The same behind STARTTLS."""
    account = cast.account("romeo")
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert identifier(await by_scram(raw, account, BIND)).startswith(account)


async def test_the_hash_of_what_was_offered(cast: Cast) -> None:
    """XEP-0474: it is what a client computes from the features, in both profiles."""
    account = cast.account("romeo")
    raw = await secured(cast)
    features = await raw.opens(CAPULET)
    types = sorted(each.attrib["type"] for each in features.iter("{urn:xmpp:sasl-cb:0}channel-binding"))
    offered = features.find(f"{SASL2}authentication")
    assert offered is not None
    names = sorted(each.text or "" for each in offered.findall(f"{SASL2}mechanism"))
    expected = b64encode(hashlib.sha256(("\x1e".join(names) + "\x1f" + "\x1e".join(types)).encode()).digest())
    first = Scram("SCRAM-SHA-256", account.partition("@")[0], PASSWORD).first()
    await raw.sends(authenticate("SCRAM-SHA-256", first))
    assert b64decode((await raw.receives()).text or "").rpartition(b",h=")[2] == expected
    await raw.sends("<abort xmlns='urn:xmpp:sasl:2'/>")
    assert condition(await raw.receives()) == "aborted"
    challenge = await raw.says("SCRAM-SHA-256", first)
    assert b64decode(challenge.text or "").rpartition(b",h=")[2] == expected


async def test_a_returning_client_replaces_itself(cast: Cast) -> None:
    """XEP-0386: the same installation has the same resource, and one session; another one is left alone."""
    account = cast.account("romeo")
    laptop = await ready(cast, account)
    await by_scram(laptop, account, user_agent(LAPTOP), BIND)
    first = await ready(cast, account)
    jid = identifier(await by_scram(first, account, user_agent(), BIND))
    second = await ready(cast, account)
    assert identifier(await by_scram(second, account, user_agent(), BIND)) == jid
    assert await first.receives_stream_error() == "conflict"
    await laptop.pings(CAPULET)
    await second.pings(CAPULET)


async def test_another_host_in_from(cast: Cast) -> None:
    """XEP-0388, SASL mechanism negotiation: it must be the host of the `to` attribute."""
    raw = await secured(cast)
    await raw.sends(header(f"romeo@{MONTAGUE}"))
    assert await raw.receives_stream_error() == "invalid-from"


async def test_another_account_in_from(cast: Cast) -> None:
    """XEP-0388, Initiation: the authentication fails, and nothing inline is done."""
    romeo, nurse = cast.account("romeo"), cast.account("nurse")
    raw = await ready(cast, romeo)
    said = f"\0{nurse.partition('@')[0]}\0{PASSWORD}".encode()
    await raw.sends(authenticate("PLAIN", said, BIND))
    assert condition(await outcome(raw)) == "invalid-authzid"
    assert cast.deployment.admin("session", "list", account=nurse)["rows"] == []


async def test_failures_count_as_those_of_the_old_profile(cast: Cast) -> None:
    """RFC 6120, 6.4.4: behind the last try the stream is closed."""
    account = cast.account("romeo")
    raw = await ready(cast, account)
    said = f"\0{account.partition('@')[0]}\0wrong".encode()
    for _ in range(3):
        await raw.sends(authenticate("PLAIN", said, BIND))
        assert condition(await raw.receives()) == "not-authorized"
    assert await raw.receives_stream_error() == "policy-violation"


async def test_stanzas_during_authentication(cast: Cast) -> None:
    """XEP-0388, During Authentication: who sends anything else is disconnected."""
    account = cast.account("romeo")
    raw = await ready(cast, account)
    await raw.sends(authenticate("SCRAM-SHA-1", Scram("SCRAM-SHA-1", "x", PASSWORD).first()) + "<presence/>")
    challenge = await raw.receives()
    assert challenge.tag == f"{SASL2}challenge", show(challenge)
    assert await raw.receives_stream_error() == "not-authorized"
