"""One device of somebody's."""

from collections import deque
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server
from xmppd.protocol.jid import Jid

from .ledger import Ledger, Line

CLIENT = "{jabber:client}"
SM = "{urn:xmpp:sm:3}"
MAM = "{urn:xmpp:mam:2}"
RSM = "{http://jabber.org/protocol/rsm}"
CARBONS = "{urn:xmpp:carbons:2}"
FORWARD = "{urn:xmpp:forward:0}"
SID = "{urn:xmpp:sid:0}"
DELAY = "{urn:xmpp:delay}delay"
NOISE = "<message to='{to}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
PAGE = 7


@dataclass
class Heard:
    """A message that came.

    :ivar id: its `<stanza-id/>`, by the account of who heard it.
    :ivar is_late: whether it has a delay.
    :ivar is_copy: whether it is a carbon.
    """

    text: str
    id: str
    is_late: bool
    is_copy: bool


@dataclass
class Sitting:
    """What one session of a device has heard, through however many connections.

    :ivar reachable_since: the event with which it became reachable; None while it is not.
    :ivar due: texts that it must hear before it ends in good order.
    """

    heard: list[Heard] = field(default_factory=list)
    reachable_since: int | None = None
    due: set[str] = field(default_factory=set)

    def texts_of(self, *, is_copy: bool) -> list[str]:
        """Return what came as carbons, or as itself. A carbon does not keep a row from coming when it is its turn."""
        return [each.text for each in self.heard if each.is_copy is is_copy]


class Talker:
    """One device.

    :ivar jid: its full JID.
    :ivar is_managed: whether it counts stanzas and resumes its sessions (XEP-0198).
    :ivar client: its connection; None if it has none.
    :ivar sitting: its session, or the last one; those before are in `sittings`, too.
    """

    def __init__(self, server: Server, ledger: Ledger, jid: str, *, is_managed: bool) -> None:
        self.server = server
        self.ledger = ledger
        self.jid = jid
        self.account = jid.partition("/")[0]
        self.is_managed = is_managed
        self.client: Client | None = None
        self.sitting = Sitting()
        self.sittings: list[Sitting] = []
        self.answers = True
        self.archive: dict[str, str] = {}
        self._previd = ""
        self._is_resuming = False
        self._waiting: deque[Line | None] = deque()  # sent, and not acknowledged
        self._acknowledged = 0
        self._handled = 0
        self._found: list[tuple[str, str]] = []
        self._fin: ET.Element | None = None

    # Coming and going

    @property
    def is_live(self) -> bool:
        """Whether it has a session that it can use."""
        return self.client is not None and not self._is_resuming

    @property
    def can_resume(self) -> bool:
        return self.client is None and bool(self._previd)

    def logs_in(self) -> None:
        """Begin a session, and say again what was not acknowledged in the last one."""
        full = Jid.parse(self.jid)
        client = self._authenticated()
        client.binds(full.resourcepart)
        self._begins(client)

    def resumes(self) -> None:
        """Ask for the last session; it may take a while until there is an answer."""
        self.client = self._authenticated()
        self._is_resuming = True
        self.client.sends(f"<resume xmlns='urn:xmpp:sm:3' previd='{self._previd}' h='{self._handled}'/>")
        self.listens()

    def _authenticated(self) -> Client:
        full = Jid.parse(self.jid)
        client = Client(self.server)
        client.opens(full.domainpart)
        client.authenticates(full.localpart, PASSWORD)
        client.opens(full.domainpart)
        return client

    def _begins(self, client: Client) -> None:
        self._lose_session()
        self.client = client
        self.sitting = Sitting()
        self.sittings.append(self.sitting)
        repeated = dict.fromkeys([line for line in self._waiting if line is not None])
        self._waiting.clear()
        if self.is_managed:
            client.forgets()
            client.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
            self._previd = client.receives_any().attrib["id"]
            self._acknowledged = self._handled = 0
        self._sends("<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        for line in repeated:
            self._transmits(line)
        self.shows_itself()

    def shows_itself(self, priority: int = 0) -> None:
        """Send presence."""
        self._sends(f"<presence><priority>{priority}</priority></presence>")
        if priority < 0:
            self.sitting.reachable_since = None
        elif self.sitting.reachable_since is None:
            self.sitting.reachable_since = self.ledger.next()
        self.listens()

    def logs_out(self) -> None:
        """End the session in good order."""
        assert self.client is not None
        self.listens()
        self.client.disconnects()
        self._lose_session()

    def loses_connection(self) -> None:
        """Lose the connection without a word."""
        assert self.client is not None
        self.client.loses_connection()
        self.client = None
        self._is_resuming = False
        if not self.is_managed:
            self._lose_session()

    def loses_everything(self) -> None:
        """Lose the connection since the node is gone; the session's id is of no use any more, but who knows that."""
        self.client = None
        self._is_resuming = False
        if not self.is_managed:
            self._lose_session()

    def _lose_session(self) -> None:
        self.client = None
        self._previd = ""
        self._is_resuming = False
        self.sitting.reachable_since = None
        self.sitting.due.clear()

    # Saying

    def says(self, recipient: str, *, has_origin_id: bool = False) -> Line:
        """Say something new."""
        line = self.ledger.new(self.account, recipient, has_origin_id=has_origin_id)
        self._transmits(line)
        return line

    def says_again(self, line: Line) -> None:
        """Say what was refused once more."""
        self._transmits(line)

    def types(self, recipient: str) -> None:
        """Send a chat state."""
        self._sends(NOISE.format(to=recipient))

    def asks(self) -> None:
        """Ask how much was handled."""
        if self.is_managed and self.is_live and self.client is not None:
            self.client.sends("<r xmlns='urn:xmpp:sm:3'/>")
            self.listens()

    def answers_now(self) -> None:
        """Tell how much was handled."""
        if self.is_managed and self.is_live and self.client is not None:
            self.client.sends(f"<a xmlns='urn:xmpp:sm:3' h='{self._handled}'/>")

    def _transmits(self, line: Line) -> None:
        line.transmissions += 1
        line.number = line.number or self.ledger.next()
        origin = f"<origin-id xmlns='urn:xmpp:sid:0' id='{line.text}'/>" if line.has_origin_id else ""
        self._sends(
            f"<message to='{line.recipient}' type='chat' id='{line.text}'><body>{line.text}</body>{origin}</message>",
            line,
        )

    def _sends(self, text: str, line: Line | None = None) -> None:
        assert self.client is not None
        if self.is_managed:
            self._waiting.append(line)
        self.client.sends(text)

    # Hearing

    def listens(self) -> None:
        """Read everything that has come."""
        self.server.run()
        while self.client is not None and self.client.inbox:
            self._takes(self.client.inbox.popleft())
        if self.client is not None and self.client.connection.closed:
            self.client = None
            self._is_resuming = False

    def _takes(self, element: ET.Element) -> None:
        if element.tag == f"{SM}r":
            if self.answers:
                self.answers_now()
        elif element.tag == f"{SM}a":
            self._confirms(int(element.attrib["h"]), is_sure=True)
        elif element.tag == f"{SM}resumed":
            self._goes_on(int(element.attrib["h"]))
        elif element.tag == f"{SM}failed":
            self._begins_anew(element)
        elif element.tag.startswith(CLIENT):
            self._handled += 1
            self._hears(element)

    def _confirms(self, h: int, *, is_sure: bool) -> None:
        count = h - self._acknowledged
        assert 0 <= count <= len(self._waiting), (
            f"{h} is no count: {self._acknowledged} + {len(self._waiting)} were sent"
        )
        self._acknowledged = h
        for _ in range(count):
            line = self._waiting.popleft()
            if line is not None:
                line.confirmations += 1
                line.is_doubtful |= not is_sure

    def _goes_on(self, h: int) -> None:
        self._is_resuming = False
        self._confirms(h, is_sure=True)
        assert self.client is not None
        again, self._waiting = self._waiting, deque()
        for line in again:
            if line is None:
                self._sends(NOISE.format(to=self.account))
            else:
                self._transmits(line)

    def _begins_anew(self, failed: ET.Element) -> None:
        h = failed.get("h")
        if h is not None:
            self._confirms(int(h), is_sure=False)
        client = self.client
        assert client is not None
        client.binds(Jid.parse(self.jid).resourcepart)
        self._begins(client)

    def _hears(self, stanza: ET.Element) -> None:
        if stanza.tag == f"{CLIENT}iq":
            fin = stanza.find(f"{MAM}fin")
            self._fin = self._fin if fin is None else fin
            if stanza.get("type") == "get":  # the server asks whether anybody is there
                self._sends(f"<iq type='result' id='{stanza.get('id')}' to='{stanza.get('from')}'/>")
        if stanza.tag != f"{CLIENT}message":
            return
        if stanza.get("type") == "error":
            line = self.ledger.lines.get(stanza.get("id") or "")
            if line is not None:
                line.refusals += 1
            return
        result = stanza.find(f"{MAM}result")
        if result is not None:
            body = result.findtext(f"{FORWARD}forwarded/{CLIENT}message/{CLIENT}body")
            self._found.append((result.get("id") or "", body or ""))
            return
        copy = stanza.find(f".//{CARBONS}received")
        copy = stanza.find(f".//{CARBONS}sent") if copy is None else copy
        message = stanza if copy is None else copy.find(f"{FORWARD}forwarded/{CLIENT}message")
        assert message is not None
        text = message.findtext(f"{CLIENT}body")
        if text is None:
            return
        ids = [each.get("id") or "" for each in message.iterfind(f"{SID}stanza-id") if each.get("by") == self.account]
        assert len(ids) == 1, f"{text} has {len(ids)} ids"
        is_late = message.find(DELAY) is not None
        self.sitting.heard.append(Heard(text, ids[0], is_late, copy is not None))

    # The archive

    def reads_archive(self) -> list[tuple[str, str]]:
        """Return (id, text) of the whole archive, page by page."""
        found: list[tuple[str, str]] = []
        after = ""
        while True:
            rows, is_complete = self._reads_page(after)
            found += rows
            if is_complete:
                return found
            after = rows[-1][0]

    def _reads_page(self, after: str) -> tuple[list[tuple[str, str]], bool]:
        self._found, self._fin = [], None
        behind = f"<after>{after}</after>" if after else ""
        self._sends(
            "<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'>"
            f"<set xmlns='http://jabber.org/protocol/rsm'><max>{PAGE}</max>{behind}</set></query></iq>"
        )
        self.listens()
        fin = self._fin
        assert fin is not None, "the archive does not answer"
        return self._found, fin.get("complete") == "true"
