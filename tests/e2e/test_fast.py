"""XEP-0484 and XEP-0494, in raw XML over TLS: back in one round trip, and kept out for good."""

import pytest

from tests.scenario.sasl2 import BIND, FAST, LAPTOP, by_password, request_token, user_agent

from .cast import PASSWORD, Cast
from .deployment import CAPULET
from .returning import BINDINGS, condition, gets_token, header, identifier, returns, secured

SM = "{urn:xmpp:sm:3}"
EVERYTHING = (
    "<bind xmlns='urn:xmpp:bind:0'><tag>AwesomeXMPP</tag><enable xmlns='urn:xmpp:carbons:2'/>"
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/><inactive xmlns='urn:xmpp:csi:0'/></bind>"
)


@pytest.mark.parametrize("mechanism", BINDINGS)
async def test_one_round_trip(cast: Cast, mechanism: str) -> None:
    """Header, login, resource, features and the first stanza leave together; the answer is a session."""
    account = cast.account("romeo")
    token = await gets_token(cast, account, mechanism)
    raw, success = await returns(
        cast, account, token, EVERYTHING, mechanism=mechanism, use=" count='1'", behind="<presence/>"
    )
    assert identifier(success).startswith(f"{account}/AwesomeXMPP/")
    assert success.find(f"{{urn:xmpp:bind:0}}bound/{SM}enabled") is not None
    assert success.find(f"{FAST}token") is None
    await raw.pings(CAPULET)


async def test_a_session_goes_on(cast: Cast) -> None:
    """XEP-0198: what was missed comes behind the success of the same round trip."""
    account = cast.account("romeo")
    token = await gets_token(cast, account)
    first, success = await returns(cast, account, token, EVERYTHING, behind="<presence/>")
    jid = identifier(success)
    id = success.find(f"{{urn:xmpp:bind:0}}bound/{SM}enabled").attrib["id"]  # type: ignore[union-attr]
    await first.pings(CAPULET)
    await first.closes()
    juliet = await cast.session("juliet")
    await juliet.sends(f"<message to='{jid}' type='chat' id='m'><body>Hist!</body></message>")
    await juliet.pings(CAPULET)
    resume = f"<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='2'/>"
    again, success = await returns(cast, account, token, resume, BIND)
    assert identifier(success) == jid
    assert success.find(f"{SM}resumed") is not None
    while (await again.receives()).get("id") != "m":
        pass


async def test_rotation(cast: Cast) -> None:
    """A token that was asked for replaces the old one when it is used, and no earlier."""
    account = cast.account("romeo")
    old = await gets_token(cast, account)
    _, success = await returns(cast, account, old, request_token("HT-SHA-256-EXPR"))
    new = success.find(f"{FAST}token").attrib["token"]  # type: ignore[union-attr]
    assert identifier((await returns(cast, account, old))[1]) == account
    assert identifier((await returns(cast, account, new))[1]) == account
    assert condition((await returns(cast, account, old))[1]) == "not-authorized"


async def test_a_login_cannot_be_repeated(cast: Cast) -> None:
    """A count that was used is used up; and what was said on one connection proves nothing on another."""
    account = cast.account("romeo")
    token = await gets_token(cast, account)
    assert identifier((await returns(cast, account, token, use=" count='5'"))[1]) == account
    for count in ("5", "4", "0"):
        failure = (await returns(cast, account, token, use=f" count='{count}'"))[1]
        assert condition(failure) == "not-authorized"
    assert condition((await returns(cast, account, token, use=" count='six'"))[1]) == "malformed-request"


async def test_somebody_else_s_token(cast: Cast) -> None:
    """A token is one client's of one account, and good for one mechanism."""
    romeo, nurse = cast.account("romeo"), cast.account("nurse")
    token = await gets_token(cast, romeo)
    for account, options in (
        (romeo, {"agent": user_agent(LAPTOP)}),
        (romeo, {"agent": ""}),
        (romeo, {"mechanism": "HT-SHA-256-NONE"}),
        (romeo, {"mechanism": "HT-SHA-256-ENDP"}),
        (nurse, {}),
        (cast.stranger("tybalt"), {}),
    ):
        assert condition((await returns(cast, account, token, **options))[1]) == "not-authorized"
    assert identifier((await returns(cast, romeo, token))[1]) == romeo


async def test_invalidation(cast: Cast) -> None:
    """A client that logs out leaves nothing behind."""
    account = cast.account("romeo")
    token = await gets_token(cast, account)
    assert identifier((await returns(cast, account, token, use=" invalidate='true'"))[1]) == account
    assert condition((await returns(cast, account, token))[1]) == "not-authorized"


async def test_another_password(cast: Cast) -> None:
    """Whoever has stolen a device has lost it when the password is changed."""
    account = cast.account("romeo")
    token = await gets_token(cast, account)
    cast.deployment.admin("account", "passwd", jid=account, password="another rose")
    assert condition((await returns(cast, account, token))[1]) == "credentials-expired"


async def test_the_administrator_revokes(cast: Cast) -> None:
    """xmppctl device: who has access, and who has it no more."""
    account = cast.account("romeo")
    token = await gets_token(cast, account)
    raw, _ = await returns(cast, account, token, BIND)
    listed = cast.deployment.admin("device", "list", jid=account)
    (row,) = [dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"]]
    assert (row["software"], row["connected"], row["auth"]) == ("AwesomeXMPP", True, "password, fast")
    cast.deployment.admin("device", "revoke", jid=account, id=row["id"])
    assert await raw.receives_stream_error() == "not-authorized"
    assert condition((await returns(cast, account, token))[1]) == "not-authorized"


async def test_the_owner_sees_who_has_access(cast: Cast) -> None:
    """XEP-0494: and is told that only another password keeps out who knows it."""
    account = cast.account("romeo")
    raw, _ = await returns(cast, account, await gets_token(cast, account), BIND)
    await raw.sends("<iq id='list' type='get'><list xmlns='urn:xmpp:cam:0'/></iq>")
    client = (await raw.receives()).find("{urn:xmpp:cam:0}clients/{urn:xmpp:cam:0}client")
    assert client is not None
    await raw.sends(f"<iq id='r' type='set'><revoke xmlns='urn:xmpp:cam:0' id='{client.attrib['id']}'/></iq>")
    error = (await raw.receives()).find("{jabber:client}error")
    assert error is not None
    assert error.find("{urn:xmpp:cam:0}password-reset-required") is not None


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_in_any_pieces(cast: Cast, size: int) -> None:
    """However a pipelined login is cut on its way, it means the same."""
    account = cast.account("romeo")
    raw = await secured(cast)
    login = by_password(account.partition("@")[0], user_agent(), EVERYTHING, request_token(), password=PASSWORD)
    said = (header(account) + login + "<presence/>").encode()
    for start in range(0, len(said), size):
        await raw.sends(said[start : start + size])
    await raw.receives()
    assert identifier(await raw.receives()).startswith(account)
    await raw.pings(CAPULET)
