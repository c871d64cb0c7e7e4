"""Quotas: everything that is kept for somebody has a bound, and an error of its own (architecture rule 9)."""

from tests.e2e.cast import PASSWORD
from tests.e2e.deployment import CAPULET

from .fortress import DIRECTED, ROSTER_ITEMS, SESSIONS, Siege, condition_of, floods, numbered, turns_during


async def test_directed_presence(siege: Siege) -> None:
    """RFC 6121, 4.6: a session shows itself to so many addresses; taking one back makes room for another."""
    bystander = await siege.bystander()
    raw = await siege.clear_session("tybalt")
    before = siege.deployment.forgets_peak()
    received: list[str] = []

    async def attack() -> None:
        received.extend(await floods(raw, numbered("<presence to='nobody{n}@capulet.example'/>", range(20_000))))

    assert await turns_during(bystander, attack()) > 2
    assert received == ["resource-constraint"] * (20_000 - DIRECTED)
    assert siege.deployment.peak() - before < 16 * 1024
    await raw.sends("<presence type='unavailable' to='nobody0@capulet.example'/>")
    assert await floods(raw, b"<presence to='nobody1@capulet.example'/>") == []
    assert await floods(raw, numbered("<presence to='x{n}@capulet.example'/>", range(2))) == ["resource-constraint"]


async def test_roster(siege: Siege) -> None:
    """RFC 6121, 2.3.3: a roster that is full takes no more, neither by sets nor by requests for a subscription."""
    raw = await siege.clear_session("tybalt")
    item = "<iq type='set' id='{n}'><query xmlns='jabber:iq:roster'><item jid='c{n}@far.example'/></query></iq>"
    assert await floods(raw, numbered(item, range(200))) == ["resource-constraint"] * (200 - ROSTER_ITEMS)
    subscribe = "<presence type='subscribe' to='s{n}@capulet.example'/>"
    assert await floods(raw, numbered(subscribe, range(50))) == ["resource-constraint"] * 50
    assert await floods(raw, numbered(item.replace("'/></query>", "' name='x'/></query>"), range(ROSTER_ITEMS))) == []


async def test_sessions_of_an_account(siege: Siege) -> None:
    """RFC 6120, 7.6.2.1: so many resources, and then resource-constraint; who leaves makes room."""
    jid = siege.account("tybalt")
    bind = "<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    raws = []
    for number in range(SESSIONS + 3):
        raw = await siege.raw("clear")
        await raw.opens(CAPULET)
        assert await raw.authenticates("SCRAM-SHA-1", jid.partition("@")[0], PASSWORD) == "success"
        await raw.opens(CAPULET)
        await raw.sends(bind)
        assert condition_of(await raw.receives()) == (None if number < SESSIONS else "resource-constraint")
        raws.append(raw)
    await raws[0].sends("</stream:stream>")
    await raws[0].is_cut_off()
    await raws[-1].sends(bind)
    assert (await raws[-1].receives()).get("type") == "result"
