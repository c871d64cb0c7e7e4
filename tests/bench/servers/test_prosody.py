"""Prosody under load: loopback only, rate limits off, nothing of the system's instance."""

from dataclasses import replace

import pytest

from bench.servers.base import Setting

from .written import written


@pytest.mark.parametrize("server", ["prosody", "prosody-gc400"])
def test_prosody_listens_on_loopback_without_limits(server: str, setting: Setting) -> None:
    """Its own data, its own ports, no mod_limits."""
    text = written(server, setting)
    assert 'interfaces = { "127.0.0.1" }' in text
    assert "c2s_ports = { 15222 }" in text
    assert f'data_path = "{setting.data}"' in text
    assert '"limits"' not in text
    assert ("gc = {" in text) == (server == "prosody-gc400")
    assert '"mam"' not in text


def test_prosody_keeps_every_message_if_that_is_the_task(setting: Setting) -> None:
    """The archive has all, whoever is on the roster."""
    text = written("prosody", replace(setting, keeps=True))
    assert '"mam";' in text
    assert "default_archive_policy = true" in text
