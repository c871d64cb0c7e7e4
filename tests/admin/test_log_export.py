"""An account's archive as XEP-0227 has it (4.11)."""

from xml.etree import ElementTree as ET

import pytest

from xmppd.admin import log_export
from xmppd.admin.log_export import lines, result
from xmppd.core.message_log import ARCHIVE, CHAT, RECEIVED, Row, id_at
from xmppd.protocol.jid import Jid

from .conversation import JULIET, ORCHARD, gathered, says
from .office import NOON, Office


def exported(office: Office, account: Jid = JULIET) -> list[str]:
    found: list[str] = office.server.wait(gathered(lines(office.server.node.log, account)))
    return found


def test_document(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Server, host, user, archive; in it the messages, the oldest first, each with its id and its time."""
    monkeypatch.setattr(log_export, "PAGE", 2)
    office.server.account(JULIET)
    says(office.server.online(ORCHARD), *"abc")
    root = ET.fromstring("\n".join(exported(office)).encode())
    pie, mam, forward = "{urn:xmpp:pie:0}", "{urn:xmpp:mam:2}", "{urn:xmpp:forward:0}"
    user = root.find(f"{pie}host/{pie}user")
    assert root.tag == f"{pie}server-data"
    assert user is not None
    assert user.get("name") == "juliet"
    results = user.findall(f"{{urn:xmpp:pie:0#mam}}archive/{mam}result")
    bodies = [one.findtext(f"{forward}forwarded/{{jabber:client}}message/{{jabber:client}}body") for one in results]
    assert bodies == ["a", "b", "c"]
    stamps = [one.find(f"{forward}forwarded/{{urn:xmpp:delay}}delay") for one in results]
    assert all(stamp is not None and (stamp.get("stamp") or "").startswith("2010-05-31T12:00:00") for stamp in stamps)
    ids = [int(one.get("id") or 0) for one in results]
    assert ids == sorted(ids)


def test_empty_archive(office: Office) -> None:
    """It is a document all the same."""
    assert ET.fromstring("\n".join(exported(office)).encode()).tag == "{urn:xmpp:pie:0}server-data"


def test_one_message_is_one_line() -> None:
    """A line break in a message becomes a reference to it, wherever it stands."""
    stanza = (
        b"<message from='a@b.example' to='c@d.example' type='chat'><body\nxml:lang='en'>one\ntwo\r\n</body></message>"
    )
    row = Row(id_at(NOON), "a@b.example", RECEIVED, CHAT, ARCHIVE, None, stanza)
    line = result(row)
    assert "\n" not in line
    assert "\r" not in line
    body = ET.fromstring(line).find(".//{jabber:client}body")
    assert body is not None
    assert (body.text or "").startswith("one\ntwo")
