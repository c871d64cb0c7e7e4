"""Resource binding (RFC 6120, 7): which full JID a client gets."""

import secrets

from ..protocol.errors import BadRequest, ResourceConstraint, StreamError
from ..protocol.events import BindRequested
from ..protocol.jid import Jid, JidError
from ..protocol.stanza import Malformed, read
from .client_context import ClientContext


def claim(context: ClientContext, account: Jid, event: BindRequested) -> Jid:
    """Return the full JID that is asked for, free: an older session that has it ends.

    The newer one wins, as a client that comes back wants it (7.7.2.2).

    :raises xmppd.protocol.errors.StanzaError: the request is malformed, its resource is none (7.7.2.1), or the account
        has as many sessions as it may (7.6.2.1).
    """
    jid = requested(account, event)
    sessions = context.sessions
    old = sessions.at(jid)
    if old is not None:
        old.wire.close(StreamError("conflict", "replaced by a new session of the same resource"))
    elif len(sessions.of(account)) >= context.limits.sessions_per_account and not context.management.make_room(account):
        raise ResourceConstraint("too many sessions of this account")
    return jid


def requested(account: Jid, event: BindRequested) -> Jid:
    """Return the full JID that a request names; one that nobody can guess if it names no resource (7.6).

    :raises xmppd.protocol.errors.StanzaError: the request is malformed, or its resource is none.
    """
    try:
        read(event.element, account)
        return account.with_resource(event.resource or secrets.token_urlsafe(9))
    except Malformed as malformed:
        raise malformed.error from None
    except JidError as error:
        raise BadRequest(str(error)) from None
