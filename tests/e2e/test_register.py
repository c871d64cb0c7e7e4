"""XEP-0077: accounts that are made, changed and ended in band."""

from xml.etree import ElementTree as ET

from tests.scenario.xml import show

from .cast import PASSWORD, Cast
from .deployment import CAPULET, Deployment
from .raw import STANZAS, Raw

FEATURE = "{http://jabber.org/features/iq-register}register"
QUERY = "{jabber:iq:register}query"


async def asks(raw: Raw, type: str, content: str = "") -> ET.Element:
    """Send a registration IQ; return the answer."""
    await raw.sends(f"<iq id='reg' type='{type}'><query xmlns='jabber:iq:register'>{content}</query></iq>")
    return await raw.receives()


async def test_a_stranger_registers(cast: Cast) -> None:
    """Entity Registers with a Host: asked for the fields, filled in, and logged in on the same stream."""
    user = cast.stranger("paris").partition("@")[0]
    raw = await cast.secured()
    assert (await raw.opens(CAPULET)).find(FEATURE) is not None
    fields = await asks(raw, "get")
    assert {child.tag for child in fields[0]} >= {"{jabber:iq:register}username", "{jabber:iq:register}password"}
    made = await asks(raw, "set", f"<username>{user}</username><password>{PASSWORD}</password>")
    assert made.get("type") == "result", show(made)
    assert await raw.authenticates("SCRAM-SHA-256", user, PASSWORD) == "success"

    other = await cast.secured()
    await other.opens(CAPULET)
    refused = await asks(other, "set", f"<username>{user}</username><password>{PASSWORD}</password>")
    assert refused.find(f".//{STANZAS}conflict") is not None


async def test_slixmpp_registers(cast: Cast) -> None:
    """Its plugin finds the feature, fills in the form and logs in on the same stream."""
    client = cast.client(f"{cast.stranger('rosaline')}/orchard")

    async def fill_in(form: object) -> None:
        answer = client.Iq(stype="set")
        answer["register"]["username"] = client.boundjid.user
        answer["register"]["password"] = PASSWORD
        await answer.send()

    client.add_event_handler("register", fill_in)
    await client.logs_in(cast.deployment.place("direct"), direct=True)
    await client.barrier()


async def test_a_user_changes_the_password(cast: Cast) -> None:
    """User Changes Password: the old one is worth nothing any more, the session goes on."""
    romeo = await cast.online("romeo")
    await romeo.plugin["xep_0077"].change_password("a new one, and longer", romeo.boundjid.domain)
    await romeo.barrier()
    user = romeo.boundjid.user
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-1", user, PASSWORD) == "not-authorized"
    assert await raw.authenticates("SCRAM-SHA-1", user, "a new one, and longer") == "success"


async def test_a_user_cancels_the_account(cast: Cast) -> None:
    """Entity Cancels an Existing Registration: answered, then gone."""
    romeo = await cast.online("romeo")
    await romeo.plugin["xep_0077"].cancel_registration(romeo.boundjid.domain)
    assert await romeo.gone == "not-authorized"
    raw = await cast.secured()
    await raw.opens(CAPULET)
    assert await raw.authenticates("SCRAM-SHA-1", romeo.boundjid.user, PASSWORD) == "not-authorized"


async def test_refused_where_it_is_off(cast: Cast, deployment: Deployment) -> None:
    """It is neither offered nor done; a reload switches it, and those who have an account may still change it."""
    _switch(deployment, enabled=False)
    try:
        raw = await cast.secured()
        assert (await raw.opens(CAPULET)).find(FEATURE) is None
        user = cast.stranger("tybalt").partition("@")[0]
        refused = await asks(raw, "set", f"<username>{user}</username><password>{PASSWORD}</password>")
        assert refused.find(f".//{STANZAS}not-allowed") is not None
        assert await raw.authenticates("SCRAM-SHA-1", user, PASSWORD) == "not-authorized"
        romeo = await cast.online("romeo")
        await romeo.plugin["xep_0077"].change_password("a new one, and longer", romeo.boundjid.domain)
    finally:
        _switch(deployment, enabled=True)


def _switch(deployment: Deployment, *, enabled: bool) -> None:
    for node in deployment.nodes:
        node.tables["modules.register"] = {"enabled": enabled, "per_address": 0}
        node.write()
        assert "modules.register.enabled" in node.admin("config", "reload")["text"]
