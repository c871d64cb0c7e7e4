"""The wire: sockets, TLS and HTTP, as the core's `Connection` sees them.

Three rules shape this package; each was measured before it was made.

* **Client sockets are `asyncio.Protocol` objects on the loop, not Twisted transports.** The Twisted reactor runs on
  that same loop (`reactor`), so timers, HTTP and processes stay Twisted's, while a message costs less than half of
  what Twisted's own TCP transport charges.
* **One system call a turn.** uvloop sends each `write` at once. A stanza, its acknowledgement and a presence that meet
  in one turn would be three calls and, under TLS, three records. `flush.FlushQueue` joins them: the first write of a
  turn enters the connection, one callback for *all* connections sends.
* **TLS is a pure machine.** `tls.TlsSession` turns bytes into bytes and knows no socket; `tcp.TcpConnection` drives it.
  It is a pyOpenSSL connection whose four hot calls (`BIO_write`, `SSL_read`, `SSL_write`, `BIO_read`) go straight to
  the binding: through pyOpenSSL's methods they cost three times as much, mostly for an exception that says "no more".

Memory under TLS is held down by three things: OpenSSL gives its record buffers back while idle (release-buffers), a
memory BIO that once held something large is replaced (it never shrinks by itself), and no session tickets exist: they
cost a tenth of a handshake, would need rotating keys to keep forward secrecy, and a resumed session forgets whether the
peer's certificate was verified.

`certificates` watches the files and swaps contexts under live sessions; `proxy_protocol` learns the real address behind
a load balancer; `listener` admits or refuses; `http` serves metrics and health on the loopback port.
"""
