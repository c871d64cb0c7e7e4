"""The scripts from the stream header to the ping barrier, against what Prosody, ejabberd and RFC 6120 say."""

import base64
import re
import ssl
from typing import Any

import pytest

from bench import negotiation
from bench.dialogue import NegotiationError, Script
from bench.negotiation import (
    FEATURES,
    SASL_ANSWER,
    Target,
    authentication,
    binding,
    iq_answer,
    is_result,
    managed,
    online,
    registered,
    trusting_context,
)

FEATURES_IN = (
    b"<?xml version='1.0'?><stream:stream from='localhost' id='1'><stream:features>"
    b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
    b"<mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>"
)
BIND_FEATURES = b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
BOUND = b"<iq id='bind' type='result'><bind><jid>user@localhost/bench</jid></bind></iq>"


class Heard:
    """A connection that only remembers what was sent."""

    def __init__(self, name: bytes = b"user") -> None:
        self.name = name
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


def play(script: Script, *answers: bytes) -> list[Any]:
    """Run a script to its end on these answers; return what it waited for."""
    waited = [next(script)]
    left = list(answers)
    while True:
        wanted = waited[-1]
        try:
            if isinstance(wanted, ssl.SSLContext):
                waited.append(next(script))
                continue
            found = wanted.search(left.pop(0))
            assert found is not None, wanted
            waited.append(script.send(found))
        except StopIteration:
            assert not left
            return waited


def scripted(script: Any, connection: Heard, *arguments: Any) -> Script:
    """Call a script with a connection that is none."""
    return script(connection, *arguments)  # type: ignore[no-any-return]


def target(**options: Any) -> Target:
    return Target("127.0.0.1", 5222, b"localhost", password=b"pencil", **options)


def sasl(kind: bytes, data: bytes) -> bytes:
    return b"<%s xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</%s>" % (kind, base64.b64encode(data), kind)


@pytest.mark.parametrize(
    "features",
    [
        FEATURES_IN,
        b"<stream:features/>",
        b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'></stream:features>",
    ],
)
def test_features_are_recognised(features: bytes) -> None:
    """RFC 6120, 4.3.2: features with content, without, and with a declaration of their own."""
    assert FEATURES.search(features) is not None


def test_unfinished_features_are_waited_for() -> None:
    """A part of the features is no features."""
    assert FEATURES.search(FEATURES_IN[:-5]) is None


@pytest.mark.parametrize(
    ("answer", "kind", "data"),
    [
        (b"<challenge xmlns='x'>cg==</challenge>", b"challenge", b"cg=="),
        (b"<success xmlns='x'/>", b"success", None),
        (b"<success xmlns='x'>dg==</success>", b"success", b"dg=="),
        (b"<failure xmlns='x'><not-authorized/></failure>", b"failure", b"<not-authorized/>"),
    ],
)
def test_sasl_answers_are_recognised(answer: bytes, kind: bytes, data: bytes | None) -> None:
    """RFC 6120, 6.4: challenge, success with and without data, failure."""
    found = SASL_ANSWER.search(answer)
    assert found is not None
    assert (found["kind"], found["data"]) == (kind, data)


@pytest.mark.parametrize(
    "answer",
    [
        b"<iq type='result' id='p1'/>",
        b'<iq from="localhost" id="p1" type="result"></iq>',
        b"<iq id='p1' type='error'><ping/><error/></iq>",
    ],
)
def test_iq_answers_are_recognised(answer: bytes) -> None:
    """Either quotes, any order of attributes, empty or not; another id is another answer."""
    assert iq_answer(b"p1").search(b"<presence/>" + answer + b"<message/>")[0] == answer  # type: ignore[index]
    assert iq_answer(b"p2").search(answer) is None


def test_results_are_told_from_errors() -> None:
    """RFC 6120, 8.2.3."""
    assert is_result(b"<iq type='result' id='x'/>")
    assert not is_result(b"<iq type='error' id='x'><result type='result'/></iq>")


def test_the_mechanism_wanted_is_used_or_the_other_one() -> None:
    """SCRAM-SHA-256 is wanted, SCRAM-SHA-1 is offered alone: it is taken."""
    connection = Heard()
    next(scripted(authentication, connection, target(mechanism="SCRAM-SHA-256"), FEATURES_IN))
    assert b"mechanism='SCRAM-SHA-1'" in connection.sent[0]


def test_no_mechanism_of_ours_is_an_error() -> None:
    """PLAIN alone is not for us."""
    with pytest.raises(NegotiationError, match="mechanism"):
        next(scripted(authentication, Heard(), target(), b"<mechanism>PLAIN</mechanism>"))


def test_a_failure_names_the_account() -> None:
    """RFC 6120, 6.4.5: a refused account is an error that says which one."""
    script = scripted(authentication, Heard(b"romeo"), target(), FEATURES_IN)
    with pytest.raises(NegotiationError, match="romeo: authentication failed"):
        play(script, b"<failure xmlns='x'><not-authorized/></failure>")


def test_the_legacy_session_is_made_only_if_required() -> None:
    """RFC 6120 dropped it; servers that still announce it mark it optional."""
    connection = Heard()
    play(scripted(binding, connection, b"<session xmlns='s'><optional/></session>"), BOUND)
    assert len(connection.sent) == 1
    connection = Heard()
    play(scripted(binding, connection, b"<session xmlns='s'/>"), BOUND, b"<iq id='sess' type='result'/>")
    assert b"xmpp-session" in connection.sent[1]


def test_a_refused_bind_is_an_error() -> None:
    """RFC 6120, 7.6.2."""
    with pytest.raises(NegotiationError, match="bind failed"):
        play(scripted(binding, Heard(), BIND_FEATURES), b"<iq id='bind' type='error'><error/></iq>")


@pytest.mark.parametrize("answer", [b"<iq id='reg' type='result'/>", b"<iq id='reg' type='error'><conflict/></iq>"])
def test_an_account_that_exists_is_as_good_as_a_new_one(answer: bytes) -> None:
    """XEP-0077, Entity Registers with a Host: conflict means that it is there."""
    connection = Heard()
    play(scripted(registered, connection, target()), FEATURES_IN, answer)
    assert b"<username>user</username><password>pencil</password>" in connection.sent[-1]


def test_a_refused_registration_is_an_error() -> None:
    """XEP-0077: closed registration is no account."""
    with pytest.raises(NegotiationError, match="registration failed"):
        play(scripted(registered, Heard(), target()), FEATURES_IN, b"<iq id='reg' type='error'><not-allowed/></iq>")


def at_once(connection: Heard, target: Target) -> Script:
    """A login that is through before it has begun."""
    return
    yield


def test_a_session_may_be_managed(monkeypatch: pytest.MonkeyPatch) -> None:
    """XEP-0198, Enabling: resumption is asked for; a server that refuses cannot be measured."""
    monkeypatch.setattr(negotiation, "online", at_once)
    connection = Heard()
    play(scripted(managed, connection, target()), b"<enabled xmlns='urn:xmpp:sm:3' id='1' resume='true'/>")
    assert connection.sent == [b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>"]
    with pytest.raises(NegotiationError, match="stream management was refused"):
        play(scripted(managed, Heard(), target()), b"<failed xmlns='urn:xmpp:sm:3'/>")


def test_starttls_comes_before_everything() -> None:
    """RFC 6120, 5: the context is asked for between proceed and the second stream header."""
    context = trusting_context()
    connection = Heard()
    waited = play(
        scripted(registered, connection, target(tls=context)),
        FEATURES_IN,
        b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        FEATURES_IN,
        b"<iq id='reg' type='result'/>",
    )
    assert context in waited
    assert [b"stream:stream" in data for data in connection.sent] == [True, False, True, False]


def test_a_stream_error_is_an_error() -> None:
    """RFC 6120, 4.9: instead of features."""
    script = scripted(online, Heard(), target())
    with pytest.raises(NegotiationError, match="stream error"):
        play(script, b"<stream:stream><stream:error><host-unknown/></stream:error>")


def test_a_server_that_does_not_know_the_password_is_caught() -> None:
    """RFC 5802, 3: a success with the wrong signature is no success."""
    connection = Heard()
    script = scripted(online, connection, target())
    pattern = next(script)
    assert isinstance(pattern, re.Pattern)
    answer_to(script, pattern, FEATURES_IN)
    nonce = base64.b64decode(re.findall(rb">([^<]+)</auth>", connection.sent[-1])[0]).rpartition(b"r=")[2]
    answer_to(script, SASL_ANSWER, sasl(b"challenge", b"r=%sserver,s=c2FsdA==,i=1" % nonce))
    with pytest.raises(NegotiationError, match="signature"):
        answer_to(script, SASL_ANSWER, sasl(b"success", b"v=AAAA"))


def answer_to(script: Script, pattern: re.Pattern[bytes], answer: bytes) -> None:
    found = pattern.search(answer)
    assert found is not None
    script.send(found)
