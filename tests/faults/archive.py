"""Somebody who reads an archive to its end (XEP-0313)."""

from typing import Final

from tests.e2e.raw import CLIENT

from .people import PASSWORD, SID, Place
from .stream import HOST

MAM: Final = "{urn:xmpp:mam:2}"
RSM: Final = "{http://jabber.org/protocol/rsm}"
FORWARDED: Final = "{urn:xmpp:forward:0}forwarded"
PAGE: Final = 250


async def read_archive(house: Place, localpart: str) -> list[tuple[int, str]]:
    """Return (id, origin-id) of each message that an account has received, in the archive's order."""
    stream = await house.enters()
    try:
        await stream.logs_in(localpart, PASSWORD)
        await stream.binds("library")
        found: list[tuple[int, str]] = []
        after = ""
        while True:
            stream.sends(_query(after))
            while (element := await stream.receives()).tag != f"{CLIENT}iq":
                result = element.find(f"{MAM}result")
                stream.counts(element)
                if result is not None:
                    message = result.find(f"{FORWARDED}/{CLIENT}message")
                    assert message is not None
                    origin = message.find(f"{SID}origin-id")
                    assert origin is not None
                    if message.attrib["to"].startswith(f"{localpart}@{HOST}"):
                        found.append((int(result.attrib["id"]), origin.attrib["id"]))
            stream.counts(element)
            fin = element.find(f"{MAM}fin")
            assert fin is not None
            if fin.get("complete") == "true":
                return found
            after = fin.findtext(f"{RSM}set/{RSM}last") or ""
            assert after
    finally:
        stream.drops()


def _query(after: str) -> str:
    page = f"<max>{PAGE}</max>" + (f"<after>{after}</after>" if after else "")
    rsm = f"<set xmlns='http://jabber.org/protocol/rsm'>{page}</set>"
    return f"<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'>{rsm}</query></iq>"
