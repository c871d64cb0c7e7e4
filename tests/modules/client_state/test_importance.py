"""XEP-0352, Server behaviour: what matters to an inactive client, and what makes what stale."""

import pytest

from tests.modules.carbons.reading import element_of
from xmppd.modules.client_state.importance import importance
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza, read

JULIET, ROMEO = Jid("juliet@capulet.example/phone"), Jid("romeo@montague.example/orchard")
OCCUPANT = Jid("coven@chat.shakespeare.lit/thirdwitch")
MUC = "xmlns='http://jabber.org/protocol/muc#user'"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
RECEIPT = "<received xmlns='urn:xmpp:receipts' id='1'/>"
MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
ID = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{JULIET.bare}' id='1'/>"
HINT = "<no-store xmlns='urn:xmpp:hints'/>"


def stanza(text: str, from_: Jid = ROMEO, to: Jid | None = None) -> Stanza:
    """Return a stanza on its way to Juliet's phone."""
    made = read(element_of(text), from_)
    made.to = JULIET if to is None else to
    return made


def message(content: str, type: str = "chat", from_: Jid = ROMEO) -> Stanza:
    return stanza(f"<message type='{type}'>{content}</message>", from_)


def carbon(way: str, content: str) -> Stanza:
    """Return a carbon of Juliet's account."""
    ends = (JULIET.bare + "/laptop", ROMEO) if way == "sent" else (ROMEO, JULIET.bare + "/laptop")
    return message(
        f"<{way} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        f"<message xmlns='jabber:client' from='{ends[0]}' to='{ends[1]}' type='chat'>{content}</message>"
        f"</forwarded></{way}>",
        from_=JULIET.bare,
    )


def event(node: str, *ids: str | None, inner: str = "") -> str:
    """Return a notification of items of a node."""
    items = "".join([f"<item id='{id}'/>" if id is not None else "<item/>" for id in ids])
    return (
        "<event xmlns='http://jabber.org/protocol/pubsub#event'>"
        f"{inner or f'<items node={node!r}>{items}</items>'}</event>"
    )


MESSAGES = [
    ("chat", "<body>Wherefore</body>", True, "body"),
    ("normal", "<body>Wherefore</body>", True, "body"),
    ("groupchat", "<body>Thrice</body>", True, "body"),
    ("headline", "<body>Thrice</body>", True, "body"),
    ("chat", f"<body>Wherefore</body>{STATE}", True, "body"),
    ("groupchat", "<subject>Fire burn</subject>", True, "subject"),
    ("groupchat", "<subject/>", True, "subject"),
    ("chat", "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>", True, "encrypted"),
    ("chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>", True, "encrypted"),
    ("chat", "<openpgp xmlns='urn:xmpp:openpgp:0'/>", True, "encrypted"),
    ("chat", "<x xmlns='jabber:x:encrypted'/>", True, "encrypted"),
    ("chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>", True, "call"),
    ("chat", "<invite xmlns='urn:xmpp:call-invites:0'/>", True, "call"),
    ("normal", "<x xmlns='jabber:x:conference' jid='coven@chat.shakespeare.lit'/>", True, "invitation"),
    ("normal", f"<x {MUC}><invite from='mab@verona.example'/></x>", True, "room"),
    ("groupchat", f"<x {MUC}><status code='104'/></x>", True, "room"),
    ("normal", "<result xmlns='urn:xmpp:mam:2' id='1'/>", True, "archive"),
    ("chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", True, "content"),
    ("headline", "<x xmlns='urn:example:x'/>", True, "content"),
    ("error", "<error type='cancel'/>", True, "error"),
    ("error", STATE, True, "error"),
    ("chat", STATE, False, "chat state"),
    ("chat", f"{STATE}<thread>1</thread>{HINT}{ID}<x {MUC}/>", False, "chat state"),
    ("groupchat", STATE, False, "chat state"),
    ("normal", RECEIPT, False, "receipt"),
    ("chat", MARKER, False, "receipt"),
    ("chat", STATE + RECEIPT, False, "receipt"),
    ("headline", event("http://jabber.org/protocol/tune", "1"), False, "event"),
    ("headline", event("eu.siacs.conversations.axolotl.devicelist", "current"), True, "urgent event"),
    ("headline", event("urn:xmpp:omemo:2:devices", "current"), True, "urgent event"),
    ("headline", event("urn:xmpp:mds:displayed:0", "coven@chat.shakespeare.lit"), True, "urgent event"),
    ("headline", event("n", inner="<purge node='n'/>"), False, "event"),
    ("normal", event("n", "1") + "<body>news</body>", True, "body"),
    ("chat", "", False, "nothing"),
    ("chat", HINT, False, "nothing"),
]


@pytest.mark.parametrize(("type", "content", "matters", "reason"), MESSAGES)
def test_messages(type: str, content: str, matters: bool, reason: str) -> None:
    """Who says something to the user, or must be answered by the client, is heard at once."""
    assert importance(message(content, type))[:2] == (matters, reason)


PRESENCE = [
    ("", "", False, "presence"),
    ("", "<show>away</show>", False, "presence"),
    ("unavailable", "", False, "presence"),
    ("subscribe", "", True, "subscription"),
    ("unsubscribed", "", True, "subscription"),
    ("error", "<error type='cancel'/>", True, "error"),
    ("", f"<x {MUC}><item affiliation='none' role='participant'/></x>", False, "presence"),
    ("", f"<x {MUC}><item affiliation='none' role='participant'/><status code='110'/></x>", True, "own presence in a room"),
    ("unavailable", f"<x {MUC}><status code='307'/><status code='110'/></x>", True, "own presence in a room"),
]  # fmt: skip


@pytest.mark.parametrize(("type", "content", "matters", "reason"), PRESENCE)
def test_presence(type: str, content: str, matters: bool, reason: str) -> None:
    """Suppress presence updates; requests are for the user, and what is about the client itself is not others'."""
    kind = f" type='{type}'" if type else ""
    assert importance(stanza(f"<presence{kind}>{content}</presence>"))[:2] == (matters, reason)


@pytest.mark.parametrize("type", ["get", "set", "result", "error"])
def test_iq(type: str) -> None:
    """Requests and answers matter, all of them."""
    inner = "<ping xmlns='urn:xmpp:ping'/>"
    assert importance(stanza(f"<iq type='{type}' id='1'>{inner}</iq>")).matters


class TestCarbons:
    """A copy matters as the message does."""

    @pytest.mark.parametrize("way", ["sent", "received"])
    def test_inside(self, way: str) -> None:
        assert importance(carbon(way, "<body>Wherefore</body>"))[:2] == (True, "body")
        assert importance(carbon(way, STATE))[:2] == (False, "chat state")
        assert importance(carbon(way, RECEIPT))[:2] == (False, "receipt")

    def test_marker_of_an_own_device(self) -> None:
        """What was read elsewhere need not be shown any more."""
        assert importance(carbon("sent", MARKER))[:2] == (True, "read elsewhere")
        assert importance(carbon("received", MARKER))[:2] == (False, "receipt")
        assert importance(message(MARKER, from_=JULIET.bare.with_resource("laptop")))[:2] == (True, "read elsewhere")

    def test_forged(self) -> None:
        """What looks like a carbon and is somebody else's is content like any other."""
        forged = carbon("received", STATE)
        forged.from_ = ROMEO
        assert importance(forged).reason == "nothing"


class TestKeys:
    """What makes an older stanza stale."""

    def test_presence(self) -> None:
        """The last one of each resource, or occupant."""
        keys = [importance(stanza("<presence/>", from_)).key for from_ in (ROMEO, ROMEO, ROMEO.bare, OCCUPANT)]
        assert keys[0] == keys[1]
        assert len(set(keys)) == 3

    def test_chat_states(self) -> None:
        """The last one of each conversation; a copy is about the one that it is a copy of."""
        assert importance(message(STATE)).key == importance(message(STATE)).key
        different = [message(STATE), message(STATE, from_=OCCUPANT), carbon("sent", STATE), carbon("received", STATE)]
        assert len({importance(each).key for each in different}) == 4

    def test_events(self) -> None:
        """The last one of each item; of nodes with a single item whatever it is called."""
        assert importance(message(event("n", "1"))).key == importance(message(event("n", "1"))).key
        different = [event("n", "1"), event("n", "2"), event("n", "1", "2"), event("m", "1")]
        assert len({importance(message(each)).key for each in different}) == 4
        one, other = event("urn:xmpp:avatar:metadata", "111f4b3c"), event("urn:xmpp:avatar:metadata", "222a5c4d")
        assert importance(message(one)).key == importance(message(other)).key
        assert importance(message(one)).key != importance(message(one, from_=OCCUPANT)).key

    @pytest.mark.parametrize(
        "content",
        [RECEIPT, MARKER, STATE + RECEIPT, STATE + event("n", "1"), event("n", None), event("n", inner="<purge node='n'/>")],
    )  # fmt: skip
    def test_never_stale(self, content: str) -> None:
        """What says more than its successor does is kept."""
        assert importance(message(content)).key is None
