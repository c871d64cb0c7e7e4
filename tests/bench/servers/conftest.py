"""What a server is started with."""

from pathlib import Path

import pytest

from bench.servers.base import Setting
from bench.servers.certificate import Certificate


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    certificate = Certificate(tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "b.pem")
    return Setting(tmp_path, tmp_path / "data", (15222, 15269), certificate)
