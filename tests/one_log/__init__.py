"""Promise 3, *One log*: deliveries, archives and acknowledgements can never disagree, whatever happens.

Hypothesis plays a user with two devices, and somebody who writes to them: bursts, repetitions, lost connections,
resumptions, logins, commits that nobody hears of for a while, storage that fails, a node that dies. At the end all is
well again, everybody comes online, and the books are compared.

* `ledger` knows what was said, and what its senders were told.
* `talker` is one device, as honest as XEP-0198 wants a client to be: it repeats what was not acknowledged, nothing else.
* `house` is the server with its people.

`XMPPD_ONE_LOG=5000` plays so many games, each time others; without it the same hundred are played each time.
"""
