"""The error families of RFC 6120, and what each of them puts on the wire.

* `StreamError` closes the stream (RFC 6120, 4.9).
* `StanzaError` becomes the error reply to one stanza (RFC 6120, 8.3); one subclass for each condition.
* `SaslFailure` becomes the `<failure/>` of an authentication (RFC 6120, 6.5).
* `Misuse` is a mistake of our own code; it is never caught on purpose.
"""

from typing import ClassVar, Final

from .element import E, Element
from .names import SASL, STANZA_ERRORS, STREAM, STREAM_ERRORS

STREAM_CONDITIONS: Final = frozenset({
    "bad-format", "bad-namespace-prefix", "conflict", "connection-timeout", "host-gone", "host-unknown",
    "improper-addressing", "internal-server-error", "invalid-from", "invalid-namespace", "invalid-xml",
    "not-authorized", "not-well-formed", "policy-violation", "remote-connection-failed", "reset",
    "resource-constraint", "restricted-xml", "see-other-host", "system-shutdown", "undefined-condition",
    "unsupported-encoding", "unsupported-feature", "unsupported-stanza-type", "unsupported-version",
})  # fmt: skip

SASL_CONDITIONS: Final = frozenset({
    "aborted", "account-disabled", "credentials-expired", "encryption-required", "incorrect-encoding",
    "invalid-authzid", "invalid-mechanism", "malformed-request", "mechanism-too-weak", "not-authorized",
    "temporary-auth-failure",
})  # fmt: skip


class Misuse(Exception):
    """Our own code asked for something that the protocol does not allow in this state."""


class StreamError(Exception):
    """The stream cannot go on: RFC 6120, 4.9.

    :param condition: one of `STREAM_CONDITIONS`.
    :param text: what happened, in English, for the other side's log.
    :param content: the character data of the condition (the address of `see-other-host`).
    :param specific: an application-specific condition element.
    """

    def __init__(self, condition: str, text: str = "", *, content: str = "", specific: Element | None = None) -> None:
        if condition not in STREAM_CONDITIONS:
            raise Misuse(f"{condition} is no stream error condition")
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.text = text
        self.content = content
        self.specific = specific

    def element(self) -> Element:
        """Return the `<stream:error/>`."""
        return E(
            f"{{{STREAM}}}error",
            E(f"{{{STREAM_ERRORS}}}{self.condition}", self.content or None),
            E(f"{{{STREAM_ERRORS}}}text", {"{http://www.w3.org/XML/1998/namespace}lang": "en"}, self.text)
            if self.text
            else None,
            self.specific,
        )


class SaslFailure(Exception):
    """An authentication failed: RFC 6120, 6.5.

    :param condition: one of `SASL_CONDITIONS`.
    :param text: what the user may be told; never says whether the account exists.
    """

    def __init__(self, condition: str = "not-authorized", text: str = "") -> None:
        if condition not in SASL_CONDITIONS:
            raise Misuse(f"{condition} is no SASL failure condition")
        super().__init__(f"{condition}: {text}" if text else condition)
        self.condition = condition
        self.text = text

    def element(self) -> Element:
        """Return the `<failure/>` of RFC 6120."""
        return E(
            f"{{{SASL}}}failure",
            E(f"{{{SASL}}}{self.condition}"),
            E(f"{{{SASL}}}text", {"{http://www.w3.org/XML/1998/namespace}lang": "en"}, self.text)
            if self.text
            else None,
        )


class StanzaError(Exception):
    """One stanza is refused: RFC 6120, 8.3. Raise one of the subclasses, which fix condition, type and code.

    :param text: an explanation in English for whoever sent the stanza.
    :param specific: an application-specific condition element.
    :param type: the error type, where the default of the condition does not fit.
    """

    condition: ClassVar[str] = "undefined-condition"
    default_type: ClassVar[str] = "cancel"
    code: ClassVar[int] = 500  # XEP-0086: some clients still look at it, and none is harmed by it

    def __init__(self, text: str = "", *, specific: Element | None = None, type: str | None = None) -> None:
        super().__init__(f"{self.condition}: {text}" if text else self.condition)
        self.text = text
        self.specific = specific
        self.type = self.default_type if type is None else type

    def condition_element(self) -> Element:
        """Return the condition itself; two conditions carry an address."""
        return E(f"{{{STANZA_ERRORS}}}{self.condition}")

    def element(self, by: str | None = None) -> Element:
        """Return the `<error/>` child; `by` is the address that refuses, if it is worth telling."""
        return E(
            "{jabber:client}error",
            self.condition_element(),
            E(f"{{{STANZA_ERRORS}}}text", {"{http://www.w3.org/XML/1998/namespace}lang": "en"}, self.text)
            if self.text
            else None,
            self.specific,
            type=self.type,
            code=self.code,
            by=by,
        )


class _WithAddress(StanzaError):
    """A condition whose character data is an alternate address."""

    def __init__(
        self, text: str = "", *, address: str = "", specific: Element | None = None, type: str | None = None
    ) -> None:
        super().__init__(text, specific=specific, type=type)
        self.address = address

    def condition_element(self) -> Element:
        return E(f"{{{STANZA_ERRORS}}}{self.condition}", self.address or None)


class BadRequest(StanzaError):
    """The sender's XML does not make sense here."""

    condition, default_type, code = "bad-request", "modify", 400


class Conflict(StanzaError):
    """Something of that name exists."""

    condition, default_type, code = "conflict", "cancel", 409


class FeatureNotImplemented(StanzaError):
    """The request is understood but not implemented."""

    condition, default_type, code = "feature-not-implemented", "cancel", 501


class Forbidden(StanzaError):
    """The sender lacks the permission."""

    condition, default_type, code = "forbidden", "auth", 403


class Gone(_WithAddress):
    """The addressee is no longer at this address."""

    condition, default_type, code = "gone", "cancel", 302


class InternalServerError(StanzaError):
    """Our own fault."""

    condition, default_type, code = "internal-server-error", "cancel", 500


class ItemNotFound(StanzaError):
    """The addressed thing does not exist."""

    condition, default_type, code = "item-not-found", "cancel", 404


class JidMalformed(StanzaError):
    """An address breaks RFC 7622."""

    condition, default_type, code = "jid-malformed", "modify", 400


class NotAcceptable(StanzaError):
    """The request is understood but breaks a rule of the addressee."""

    condition, default_type, code = "not-acceptable", "modify", 406


class NotAllowed(StanzaError):
    """Nobody may do this."""

    condition, default_type, code = "not-allowed", "cancel", 405


class NotAuthorized(StanzaError):
    """Credentials are missing or wrong."""

    condition, default_type, code = "not-authorized", "auth", 401


class PolicyViolation(StanzaError):
    """A local policy was broken."""

    condition, default_type, code = "policy-violation", "modify", 400


class RecipientUnavailable(StanzaError):
    """The addressee is away for now."""

    condition, default_type, code = "recipient-unavailable", "wait", 404


class Redirect(_WithAddress):
    """The addressee is reached elsewhere for now."""

    condition, default_type, code = "redirect", "modify", 302


class RegistrationRequired(StanzaError):
    """The addressee serves registered entities only."""

    condition, default_type, code = "registration-required", "auth", 407


class RemoteServerNotFound(StanzaError):
    """The remote domain cannot be resolved."""

    condition, default_type, code = "remote-server-not-found", "cancel", 404


class RemoteServerTimeout(StanzaError):
    """The remote domain does not answer in time."""

    condition, default_type, code = "remote-server-timeout", "wait", 504


class ResourceConstraint(StanzaError):
    """The server is too busy or a quota is used up."""

    condition, default_type, code = "resource-constraint", "wait", 500


class ServiceUnavailable(StanzaError):
    """Nobody here serves this request; also what an unknown account looks like."""

    # profanity's OMEMO takes a missing device list for an error unless it reads 404 or 503 here
    condition, default_type, code = "service-unavailable", "cancel", 503


class SubscriptionRequired(StanzaError):
    """The addressee serves its subscribers only."""

    condition, default_type, code = "subscription-required", "auth", 407


class UndefinedCondition(StanzaError):
    """None of the conditions fits; see the application-specific one."""

    condition, default_type, code = "undefined-condition", "cancel", 500


class UnexpectedRequest(StanzaError):
    """The request came out of order."""

    condition, default_type, code = "unexpected-request", "wait", 400


STANZA_CONDITIONS: Final[dict[str, type[StanzaError]]] = {
    error.condition: error
    for error in (
        BadRequest, Conflict, FeatureNotImplemented, Forbidden, Gone, InternalServerError, ItemNotFound, JidMalformed,
        NotAcceptable, NotAllowed, NotAuthorized, PolicyViolation, RecipientUnavailable, Redirect,
        RegistrationRequired, RemoteServerNotFound, RemoteServerTimeout, ResourceConstraint, ServiceUnavailable,
        SubscriptionRequired, UndefinedCondition, UnexpectedRequest,
    )
}  # fmt: skip
STANZA_ERROR_TYPES: Final = frozenset({"auth", "cancel", "continue", "modify", "wait"})


def error_of(stanza: Element) -> StanzaError:
    """Return the error that an error stanza carries; `UndefinedCondition` if it names none that we know."""
    element = stanza.child("{jabber:client}error")
    if element is None:
        return UndefinedCondition()
    cls: type[StanzaError] = UndefinedCondition
    text, address, specific = "", "", None
    for child in element.elements():
        if child.namespace != STANZA_ERRORS:
            specific = specific or child
        elif child.local == "text":
            text = text or child.text
        elif child.local in STANZA_CONDITIONS:
            cls, address = STANZA_CONDITIONS[child.local], child.text
    given = element.get("type")
    error = cls(text, specific=specific, type=given if given in STANZA_ERROR_TYPES else None)
    if isinstance(error, _WithAddress):
        error.address = address
    return error
