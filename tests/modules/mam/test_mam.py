"""XEP-0313: Message Archive Management, in the examples' cast."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import NOON, Server
from xmppd.config.server import Store
from xmppd.core.iq import IqRequest
from xmppd.modules.mam import Mam
from xmppd.modules.mam.query import QUERY
from xmppd.protocol.element import E
from xmppd.protocol.errors import Forbidden
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.timestamps import format_time

from .archive import (
    BALCONY,
    CHAMBER,
    CLIENT,
    DELAY,
    FORWARD,
    GARDEN,
    JULIET,
    MAM,
    NURSE,
    ORCHARD,
    ROMEO,
    archived,
    ask,
    form,
    page,
    query,
    says,
)  # fmt: skip

DISCO = "http://jabber.org/protocol/disco#info"


def features(client: Client, to: str) -> set[str | None]:
    client.forgets()
    client.sends(f"<iq type='get' id='disco1' to='{to}'><query xmlns='{DISCO}'/></iq>")
    return {feature.get("var") for feature in client.receives_any().iter(f"{{{DISCO}}}feature")}


class TestSupport:
    """Determining support."""

    def test_of_an_account(self, juliet: Client) -> None:
        """Archiving JIDs announce the protocol, its extended fields, and that their stanza-ids can be trusted."""
        assert features(juliet, JULIET) >= {
            "urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:mam:2#groupchat-field", "urn:xmpp:sid:0",
            "http://jabber.org/protocol/rsm", "urn:xmpp:message-retract:1", "urn:xmpp:message-retract:1#tombstone",
        }  # fmt: skip
        assert "urn:xmpp:mam:2#groupchat-available" not in features(juliet, JULIET)

    def test_of_a_host(self, juliet: Client) -> None:
        """A host says that its accounts have archives, as some clients ask it alone, and that it minds retractions."""
        found = features(juliet, "capulet.example")
        assert {"urn:xmpp:mam:2", "urn:xmpp:message-retract:1"} <= found
        assert not {"urn:xmpp:mam:2#extended", "urn:xmpp:sid:0", "urn:xmpp:message-retract:1#tombstone"} & found

    def test_where_nothing_is_kept(self) -> None:
        """Support is announced only for what is there."""
        juliet = Server(store=Store.NEVER).online(CHAMBER)
        for address in (JULIET, "capulet.example"):
            assert not {
                feature for feature in features(juliet, address) if "mam" in str(feature) or "retract" in str(feature)
            }

    def test_of_nodes(self, juliet: Client) -> None:
        """A node of the account is not the archive."""
        juliet.sends(f"<iq type='get' id='disco1' to='{JULIET}'><query xmlns='{DISCO}' node='x'/></iq>")
        juliet.receives_error("item-not-found")


class TestQuerying:
    """Querying an archive, and its results."""

    def test_example(self, juliet: Client, romeo: Client) -> None:
        """A user queries their archive: messages in both directions, in order; then the answer."""
        says(romeo, JULIET, "Call me but love")
        juliet.receives("""
            <message from='romeo@montague.example/orchard' to='juliet@capulet.example' type='chat'
                     id='Call me but love'>
              <body>Call me but love</body>
              <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='{first}'/>
            </message>""")
        says(juliet, ORCHARD, "What man art thou?")
        juliet.sends("<iq type='set' id='juliet1'><query xmlns='urn:xmpp:mam:2' queryid='f27'/></iq>")
        juliet.receives("""
            <message from='juliet@capulet.example' to='juliet@capulet.example/chamber'>
              <result xmlns='urn:xmpp:mam:2' queryid='f27' id='{first}'>
                <forwarded xmlns='urn:xmpp:forward:0'>
                  <delay xmlns='urn:xmpp:delay' stamp='2010-05-31T12:00:00Z'/>
                  <message xmlns='jabber:client' from='romeo@montague.example/orchard' to='juliet@capulet.example'
                           type='chat' id='Call me but love'>
                    <body>Call me but love</body>
                  </message>
                </forwarded>
              </result>
            </message>""")
        juliet.receives("""
            <message from='juliet@capulet.example' to='juliet@capulet.example/chamber'>
              <result xmlns='urn:xmpp:mam:2' queryid='f27' id='{last}'>
                <forwarded xmlns='urn:xmpp:forward:0'>
                  <delay xmlns='urn:xmpp:delay' stamp='2010-05-31T12:00:00Z'/>
                  <message xmlns='jabber:client' from='juliet@capulet.example/chamber'
                           to='romeo@montague.example/orchard' type='chat' id='What man art thou?'>
                    <body>What man art thou?</body>
                  </message>
                </forwarded>
              </result>
            </message>""")
        juliet.receives("""
            <iq type='result' id='juliet1' from='juliet@capulet.example' to='juliet@capulet.example/chamber'>
              <fin xmlns='urn:xmpp:mam:2' complete='true' stable='true'>
                <set xmlns='http://jabber.org/protocol/rsm'><first>{first}</first><last>{last}</last></set>
              </fin>
            </iq>""")
        juliet.receives_nothing()

    def test_only_who_asks_gets_the_results(self, server: Server, ten: list[str], juliet: Client) -> None:
        """Query results: they go to the client that has asked, and to no other of its resources."""
        other = server.online(BALCONY)
        juliet.forgets()
        other.forgets()
        assert len(ask(juliet).results) == 10
        other.receives_nothing()

    def test_to_the_bare_jid(self, ten: list[str], juliet: Client) -> None:
        """User archives: they are at the account's bare JID; without an address it is meant as well."""
        juliet.sends(query(page("<max>1</max>"), to=JULIET))
        assert juliet.receives_any().find(f"{MAM}result") is not None

    def test_empty_archive(self, juliet: Client) -> None:
        """Filtering results: a query is successful even if there is nothing."""
        found = ask(juliet)
        assert (found.results, found.is_complete, found.first, found.last) == ([], True, None, None)

    def test_messages_are_as_they_were(self, juliet: Client, romeo: Client) -> None:
        """Query results: the original message, whatever is in it."""
        romeo.sends(f"""
            <message to='{JULIET}' type='chat' id='m1' xml:lang='it'>
              <body>&lt;Ti amo&gt; &amp; c</body>
              <encrypted xmlns='eu.siacs.conversations.axolotl'><payload>AAA=</payload></encrypted>
              <origin-id xmlns='urn:xmpp:sid:0' id='m1'/>
            </message>""")
        (message,) = ask(juliet).messages
        assert message.get("{http://www.w3.org/XML/1998/namespace}lang") == "it"
        assert message.findtext(f"{CLIENT}body") == "<Ti amo> & c"
        assert message[1].tag == "{eu.siacs.conversations.axolotl}encrypted"
        assert message[1][0].tag == "{eu.siacs.conversations.axolotl}payload"
        assert message[2].get("id") == "m1"

    def test_what_was_refused_is_in_no_archive(self, romeo: Client) -> None:
        """Storage and Retrieval Rules: a message that its addressee's server has rejected."""
        says(romeo, "nobody@capulet.example", "Anybody?")
        romeo.receives_error("service-unavailable")
        assert archived(romeo) == []

    def test_notes_to_oneself_are_there_once(self, juliet: Client) -> None:
        """User Archives: a stanza is stored only once."""
        says(juliet, JULIET, "a note")
        assert archived(juliet) == ["a note"]

    def test_what_is_not_kept(self, juliet: Client, romeo: Client) -> None:
        """Message archives: state changes are not archived."""
        romeo.sends(
            f"<message to='{JULIET}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        romeo.sends(f"<message to='{JULIET}' type='headline'><body>News</body></message>")
        assert archived(juliet) == archived(romeo) == []

    def test_messages_that_came_while_offline(self, server: Server, romeo: Client, juliet: Client) -> None:
        """User Archives: what was delivered late is there once, with the time when it came."""
        juliet.disconnects()
        says(romeo, JULIET, "late")
        server.advance(minutes=10)
        juliet = server.online(BALCONY)
        found = ask(juliet)
        assert found.bodies == ["late"]
        assert found.results[0].find(f"{FORWARD}forwarded/{DELAY}delay").get("stamp") == "2010-05-31T12:00:00Z"  # type: ignore[union-attr]


class TestFilters:
    """Filtering results."""

    @pytest.fixture(autouse=True)
    def conversation(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Messages a minute apart, with two people, one of them at two places."""
        self.juliet, self.nurse, garden = juliet, server.online(f"{NURSE}/kitchen"), server.online(GARDEN)
        for sender, to, body in (
            (romeo, JULIET, "orchard"),
            (garden, JULIET, "garden"),
            (self.nurse, JULIET, "nurse"),
            (juliet, ROMEO, "to bare"),
            (juliet, ORCHARD, "to orchard"),
            (juliet, JULIET, "note"),
        ):
            says(sender, to, body)
            server.advance(60)

    @pytest.mark.parametrize(
        ("address", "bodies"),
        [
            (ROMEO, ["orchard", "garden", "to bare", "to orchard"]),
            ("Romeo@Montague.example", ["orchard", "garden", "to bare", "to orchard"]),
            (ORCHARD, ["orchard", "to orchard"]),
            (GARDEN, ["garden"]),
            (NURSE, ["nurse"]),
            (JULIET, ["note"]),
            ("paris@verona.example", []),
        ],
    )
    def test_by_jid(self, address: str, bodies: list[str]) -> None:
        """Filtering by JID: all resources of a bare one; one's own means what one has sent to oneself."""
        found = ask(self.juliet, form(with_=address))
        assert found.bodies == bodies
        assert found.is_complete

    @pytest.mark.parametrize(
        ("start", "end", "bodies"),
        [
            (0, None, ["orchard", "garden", "nurse", "to bare", "to orchard", "note"]),
            (60, None, ["garden", "nurse", "to bare", "to orchard", "note"]),
            (60.001, None, ["nurse", "to bare", "to orchard", "note"]),
            (None, 60, ["orchard", "garden"]),
            (None, 59.999, ["orchard"]),
            (60, 120, ["garden", "nurse"]),
            (120, 60, []),
        ],
    )
    def test_by_time(self, start: float | None, end: float | None, bodies: list[str]) -> None:
        """Filtering by time received: both bounds are inclusive."""
        fields: dict[str, str | list[str]] = {}
        if start is not None:
            fields["start"] = format_time(NOON + start)
        if end is not None:
            fields["end"] = format_time(NOON + end)
        assert ask(self.juliet, form(**fields)).bodies == bodies

    def test_by_id(self) -> None:
        """Limiting results by id: between messages, or just those."""
        ids = ask(self.juliet).ids
        assert ask(self.juliet, form(after_id=ids[1])).ids == ids[2:]
        assert ask(self.juliet, form(before_id=ids[1])).ids == ids[:1]
        assert ask(self.juliet, form(after_id=ids[1], before_id=ids[4])).ids == ids[2:4]
        assert ask(self.juliet, form(ids=[ids[4], ids[0]])).ids == [ids[0], ids[4]]

    def test_everything_together(self) -> None:
        """Filtering results: filters add up."""
        ids = ask(self.juliet).ids
        found = ask(self.juliet, form(with_=ROMEO, after_id=ids[0], end=format_time(NOON + 180)), page("<max>1</max>"))
        assert (found.bodies, found.is_complete) == (["garden"], False)

    def test_groupchat(self) -> None:
        """Including groupchat results: none are here, either way."""
        assert len(ask(self.juliet, form(include_groupchat="true")).ids) == 6
        assert len(ask(self.juliet, form(include_groupchat="false")).ids) == 6

    @pytest.mark.parametrize(
        "content",
        [
            form(after_id="1"),
            form(before_id="1"),
            form(ids=["1"]),
            form(after_id="28482-98726-73623"),
            page("<after>1</after>"),
            page("<before>1</before>"),
            page("<before>09af3-cc343-b409f</before>"),
        ],
    )
    def test_messages_that_are_not_there(self, content: str) -> None:
        """Limiting results by id, Requesting pages: an id that is not in the archive."""
        self.juliet.forgets()
        self.juliet.sends(query(content))
        self.juliet.receives_error("item-not-found", "cancel", "q1")
        self.juliet.receives_nothing()

    def test_one_of_several_is_not_there(self) -> None:
        """Limiting results by id: any of them."""
        ids = ask(self.juliet).ids
        self.juliet.sends(query(form(ids=[ids[0], "1"])))
        self.juliet.receives_error("item-not-found")

    def test_others_messages_are_not_there(self) -> None:
        """IDs: what is in somebody else's archive is in none of mine."""
        says(self.nurse, ROMEO, "Have you got leave?")
        id = ask(self.nurse).ids[-1]
        self.juliet.forgets()
        self.juliet.sends(query(form(after_id=id)))
        self.juliet.receives_error("item-not-found")

    def test_unknown_field(self) -> None:
        """Retrieving form fields: a field that is not known is not ignored."""
        self.juliet.forgets()
        self.juliet.sends(query(form(**{"{http://example.com/}free-text-search": "Juliet"})))
        self.juliet.receives_error("feature-not-implemented")

    def test_malformed(self) -> None:
        """Filtering results: what is malformed is said to be so."""
        self.juliet.forgets()
        for content, condition in (
            (form(start="now"), "bad-request"),
            (form(with_="@"), "jid-malformed"),
            (page("<max>many</max>"), "bad-request"),
            (page("<index>3</index>"), "feature-not-implemented"),
        ):
            self.juliet.sends(query(content))
            self.juliet.receives_error(condition)


class TestMetadata:
    """Archive metadata."""

    def test_first_and_last(self, server: Server, juliet: Client, romeo: Client) -> None:
        """The first and the last message of the archive."""
        for body in ("one", "two", "three"):
            says(romeo, JULIET, body)
            server.advance(1.5)
        ids = ask(juliet).ids
        juliet.sends("<iq type='get' id='jui8921rr9'><metadata xmlns='urn:xmpp:mam:2'/></iq>")
        (found,) = juliet.receives_any()
        start, end = found
        assert (start.tag, start.attrib) == (f"{MAM}start", {"id": ids[0], "timestamp": "2010-05-31T12:00:00Z"})
        assert (end.tag, end.get("id")) == (f"{MAM}end", ids[2])

    def test_empty(self, juliet: Client) -> None:
        """An empty archive has no ends."""
        juliet.sends("<iq type='get' id='jui8921rr9'><metadata xmlns='urn:xmpp:mam:2'/></iq>")
        juliet.receives("""
            <iq type='result' id='jui8921rr9' from='juliet@capulet.example' to='juliet@capulet.example/chamber'>
              <metadata xmlns='urn:xmpp:mam:2'/>
            </iq>""")


def test_form(juliet: Client) -> None:
    """Retrieving form fields."""
    juliet.sends("<iq type='get' id='form1'><query xmlns='urn:xmpp:mam:2'/></iq>")
    juliet.receives("""
        <iq type='result' id='form1' from='juliet@capulet.example' to='juliet@capulet.example/chamber'>
          <query xmlns='urn:xmpp:mam:2'>
            <x xmlns='jabber:x:data' type='form'>
              <field type='hidden' var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>
              <field type='jid-single' var='with'/>
              <field type='text-single' var='start'/>
              <field type='text-single' var='end'/>
              <field type='text-single' var='before-id'/>
              <field type='text-single' var='after-id'/>
              <field type='boolean' var='include-groupchat'/>
              <field type='list-multi' var='ids'>
                <validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate>
              </field>
            </x>
          </query>
        </iq>""")


class TestPrivacy:
    """Data privacy."""

    @pytest.mark.parametrize(
        "payload",
        [
            ("set", "<query xmlns='urn:xmpp:mam:2'/>"),
            ("get", "<query xmlns='urn:xmpp:mam:2'/>"),
            ("get", "<metadata xmlns='urn:xmpp:mam:2'/>"),
            ("get", "<prefs xmlns='urn:xmpp:mam:2'/>"),
            ("set", "<prefs xmlns='urn:xmpp:mam:2' default='never'/>"),
        ],
    )
    def test_somebody_elses_archive(self, ten: list[str], romeo: Client, payload: tuple[str, str]) -> None:
        """An archive is open to its owner and to nobody else."""
        romeo.forgets()
        romeo.sends(f"<iq type='{payload[0]}' id='q1' to='{JULIET}'>{payload[1]}</iq>")
        romeo.receives_error("forbidden", "auth", "q1")
        romeo.receives_nothing()

    def test_who_is_not_connected_here(self, server: Server, juliet: Client) -> None:
        """Query results: they are written to a session, or to nobody."""
        mam = server.node.loader.loaded["mam"]
        assert isinstance(mam, Mam)
        stanza = Stanza.build("iq", E(QUERY), to=Jid(JULIET), from_=Jid(CHAMBER), type="set", id="q1")
        with pytest.raises(Forbidden):
            server.wait(mam.search(IqRequest(stanza, Jid(JULIET), Jid(CHAMBER), E(QUERY))))

    def test_a_hosts_archive(self, juliet: Client) -> None:
        """User archives: a host has none."""
        juliet.sends(query(to="capulet.example"))
        juliet.receives_error("service-unavailable")


def test_removed_account(server: Server, ten: list[str], juliet: Client, romeo: Client) -> None:
    """Who takes the name of an account that is gone finds nothing of it; who it has talked with keeps their own."""
    juliet.disconnects()
    server.wait(server.node.accounts.delete(Jid(JULIET)))
    assert archived(server.online(BALCONY)) == []
    assert len(archived(romeo)) == 10


def test_a_name_that_is_taken_again(server: Server) -> None:
    """Data privacy: what its last owner had under way when the account was removed is not the next one's."""
    juliet = server.online(BALCONY)
    romeo = server.online(ORCHARD)
    server.log.is_split = True
    server.log.hold()
    says(romeo, JULIET, "Adieu.")
    server.wait(server.node.accounts.delete(Jid.parse(ROMEO)))
    server.log.release()
    server.run()
    assert server.wait(server.log.ends(Jid.parse(ROMEO))) is not None
    juliet.forgets()
    assert archived(server.online(ORCHARD)) == []
