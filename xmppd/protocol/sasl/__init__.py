"""SASL (RFC 4422) from the server's side: each mechanism is an exchange of values, without I/O.

A driver asks `choice.offered` which mechanisms a stream may name, sends them, and on the client's choice calls
`choice.start`. What it gets is an `exchange.Exchange`; it feeds the client's bytes to `step` and does what the answer
says, until that is `Authenticated` or a `SaslFailure` is raised:

======================  ================================================================================
`Challenge`             send the data, feed the response to `step`
`LookUp`                fetch the account's SCRAM keys (`scram.fake_keys` if there are none), call `keys`
`CheckPassword`         compare the password with the keys (in a thread: it is slow on purpose), call `verified`
`CheckCertificate`      decide which account the client's certificate stands for, call `verified`
`CheckToken`            compare what the client made of its token (XEP-0484), call `checked`
`Authenticated`         the end: the stream belongs to this account; send the data with the success
======================  ================================================================================

`keys`, `verified` and `checked` return the next answer, as `step` does. An exchange that raised is over.

The rules that all mechanisms share:

* *Identity.* A session is the account that was authenticated. The authorisation identity is empty or that account's
  bare JID, else the failure is `invalid-authzid` (`exchange.Context.account`).
* *No oracle.* A wrong password and an account that does not exist end in the same `not-authorized`, after the same
  messages and the same work. `scram.fake_keys` gives a stranger the same salt each time. Only a name that no account
  can have is refused at once.
* *No downgrade.* A client that says it supports channel binding but saw none offered (flag ``y``) is refused where a
  -PLUS mechanism was offered: somebody in between took it out of the list (RFC 5802, 6). For the rest of the list, and
  for the types of channel binding, SCRAM's first message has a hash of what was offered (XEP-0474).
* *Strict forms.* Base64 is canonical or `incorrect-encoding`; a message that breaks its grammar is
  `malformed-request`.

What is random (nonces) comes in as a function, what is secret (the key of the fake salts) as bytes.
"""
