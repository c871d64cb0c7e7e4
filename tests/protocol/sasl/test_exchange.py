"""SASL exchanges in general: RFC 4422 and RFC 6120, 6."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppd.protocol.errors import Misuse, SaslFailure
from xmppd.protocol.sasl.choice import MECHANISMS
from xmppd.protocol.sasl.exchange import (
    LONGEST_MESSAGE,
    Challenge,
    CheckPassword,
    Context,
    Exchange,
    LookUp,
    decode,
    decode_base64,
    encode,
    text_of,
)
from xmppd.protocol.sasl.keys import ScramKeys, fake_keys

KEYS = fake_keys(b"k" * 16, "romeo", "SHA-1")


def context(host: str = "montague.example") -> Context:
    """A stream over TLS that was offered everything."""
    return Context(host, MECHANISMS, {"tls-exporter": b"e" * 32}, lambda: "server")


def condition_of(error: pytest.ExceptionInfo[SaslFailure]) -> str:
    return error.value.condition


@settings(deadline=None)
@given(data=st.binary(max_size=80))
def test_base64_comes_back(data: bytes) -> None:
    """What is encoded is decoded; an equals sign is no data."""
    assert decode(encode(data)) == data
    assert decode("=") == b""
    assert encode(b"") == ""


@pytest.mark.parametrize(
    "text",
    ["a", "YQ", "YQ=", "YQ===", "YR==", "Y Q==", "YQ==\n", " YQ==", "Y-_=", "YQ==YQ==", "==", "\u00e9", "\ud800"],
)
def test_base64_has_one_form(text: str) -> None:
    """RFC 6120, 13.9.1: white space, stray bits, foreign letters and wrong padding are incorrect-encoding."""
    assert decode_base64(text) is None
    with pytest.raises(SaslFailure) as refusal:
        decode(text)
    assert condition_of(refusal) == "incorrect-encoding"


@settings(deadline=None)
@given(text=st.text(max_size=20))
def test_any_text_is_base64_or_refused(text: str) -> None:
    """No other exception leaves the decoder."""
    try:
        data = decode(text)
    except SaslFailure as refusal:
        assert refusal.condition == "incorrect-encoding"
    else:
        assert text == "=" or b64encode(data).decode() == text


@pytest.mark.parametrize("data", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a" * (LONGEST_MESSAGE + 1)])
def test_messages_are_short_utf8(data: bytes) -> None:
    """What is too long or no UTF-8 is malformed."""
    with pytest.raises(SaslFailure) as refusal:
        text_of(data)
    assert condition_of(refusal) == "malformed-request"


def test_an_account_acts_for_itself() -> None:
    """RFC 6120, 6.3.8: an authorisation identity is empty or the account's own bare JID, in any spelling."""
    assert context().account("Romeo", "") == "romeo"
    assert context().account("romeo", "ROMEO@montague.example.") == "romeo"


@pytest.mark.parametrize(
    "authzid",
    [
        "juliet@montague.example",
        "romeo@capulet.example",
        "romeo@montague.example/garden",
        "montague.example",
        "romeo",
        "@",
        "rom\u00adeo@montague.example",
    ],
)
def test_nobody_acts_for_another(authzid: str) -> None:
    """RFC 6120, 6.5.6: anything else is invalid-authzid."""
    with pytest.raises(SaslFailure) as refusal:
        context().account("romeo", authzid)
    assert condition_of(refusal) == "invalid-authzid"


@pytest.mark.parametrize("name", ["romeo@montague.example", "ro meo", "rom\u200beo", "r" * 1024, "a/b"])
def test_a_name_that_no_account_can_have(name: str) -> None:
    """It is refused as a wrong password is."""
    with pytest.raises(SaslFailure) as refusal:
        context().account(name, "")
    assert condition_of(refusal) == "not-authorized"


def test_between_servers_a_name_is_a_domain() -> None:
    """XEP-0178: a server authenticates as its domain."""
    assert context(host="").account("Montague.example", "montague.example") == "montague.example"
    with pytest.raises(SaslFailure):
        context(host="").account("montague.example", "capulet.example")


@pytest.mark.parametrize("name", MECHANISMS)
def test_without_initial_response_the_client_is_invited_once(name: str) -> None:
    """RFC 4422, 5: where the client speaks first and did not, the challenge is empty."""
    exchange = MECHANISMS[name](context())
    assert exchange.step(None) == Challenge(b"")
    with pytest.raises(SaslFailure) as refusal:
        exchange.step(None)
    assert condition_of(refusal) == "malformed-request"


@pytest.mark.parametrize("name", MECHANISMS)
def test_answers_out_of_turn_are_our_own_mistake(name: str) -> None:
    """A driver that gives what was not asked for has a bug."""
    with pytest.raises(Misuse):
        MECHANISMS[name](context()).keys(KEYS)
    with pytest.raises(Misuse):
        MECHANISMS[name](context()).verified(True, "romeo")


def test_an_exchange_has_to_say_what_it_receives() -> None:
    """The base class is no mechanism."""
    with pytest.raises(NotImplementedError):
        Exchange().step(b"")


def test_secrets_are_not_shown() -> None:
    """Neither a password nor a key is in a traceback or a log line."""
    assert "r0meo" not in repr(CheckPassword("romeo", "r0meo"))
    assert "stored" not in repr(ScramKeys(b"salt", 1, b"stored", b"server"))


messages = st.one_of(
    st.none(),
    st.binary(max_size=60),
    st.text(st.sampled_from("ny,=pacrnmsv\0\u00e9R+/2CD3="), max_size=60).map(str.encode),
    st.builds(
        "{}{},n={},r={}{}".format,
        st.sampled_from(["n,", "y,", "p=tls-exporter,", "p=x,"]),
        st.sampled_from(["", "a=romeo@montague.example", "a="]),
        st.text(max_size=5),
        st.text(max_size=5),
        st.sampled_from(["", ",x=1", ",m=1", ","]),
    ).map(lambda text: text.encode(errors="surrogatepass")),
    st.builds(
        "c={},r={},p={}".format,
        st.sampled_from(["biws", "eSws", "x"]),
        st.sampled_from(["aserver", "server", "a"]),
        st.sampled_from(["AAAA", "A" * 27 + "=", ""]),
    ).map(str.encode),
)


@pytest.mark.parametrize("name", MECHANISMS)
@settings(deadline=None)
@given(received=st.lists(messages, min_size=1, max_size=4))
def test_any_bytes_are_answered_or_refused(name: str, received: list[bytes | None]) -> None:
    """Nothing but SaslFailure comes out, whatever the client sends, and nobody gets in with it but by ANONYMOUS."""
    exchange = MECHANISMS[name](context())
    try:
        for data in received:
            answer = exchange.step(data)
            if isinstance(answer, LookUp):
                answer = exchange.keys(fake_keys(b"k" * 16, answer.localpart_text, answer.hash_name))
            if not isinstance(answer, Challenge):
                assert name in ("PLAIN", "EXTERNAL", "ANONYMOUS")
                return
    except SaslFailure:
        return
