"""ejabberd under load: loopback only, rate limits off, nothing of the system's instance."""

import re

from bench.servers import SERVERS
from bench.servers.base import Setting

from .written import written


def test_ejabberd_listens_on_loopback_without_limits(setting: Setting) -> None:
    """No shaper on the listener, no fail2ban, no limit of registrations; a node and a distribution port of its own."""
    text = written("ejabberd", setting)
    assert re.search(r"port: 15222\n\s+ip: \"127.0.0.1\"", text)
    assert "fail2ban" not in text
    assert "shaper: " not in text
    assert "registration_timeout: infinity" in text
    command = SERVERS["ejabberd"]().command(setting)
    assert command[command.index("-erl_epmd_port") + 1] == "15269"
    assert "bench@127.0.0.1" in command
