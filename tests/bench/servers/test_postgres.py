"""PostgreSQL under load: its own cluster, as durable as one that people rely on."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.procs import processes
from bench.servers.base import free_ports
from bench.servers.postgres import Cluster, ClusterError, binaries, cluster, wait
from tests.services import ServiceMissing


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the cluster's owner may reach, which pytest's own are not."""
    if binaries() is None:
        raise ServiceMissing("PostgreSQL", "apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_a_cluster_runs_until_it_is_left_and_can_be_copied(folder: Path) -> None:
    """A copy of its folder is a cluster with the same databases; what is there is not made anew."""
    schema = folder / "schema.sql"
    schema.write_text("create table t (x integer); insert into t values (1);")
    schema.chmod(0o644)
    with cluster(folder / "seed", free_ports()[0]) as found:
        found.ensure("xmppd", schema)
        found.ensure("xmppd", schema)
        pid = found.pid
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert found._sql("xmppd", "-Atc", f"show {setting}").strip() == "on"
    assert pid not in processes()
    shutil.copytree(folder / "seed", folder / "copy")
    with cluster(folder / "copy", free_ports()[0]) as copy:
        assert copy._sql("xmppd", "-Atc", "select x from t").strip() == "1"
        assert f":{copy.password}@127.0.0.1:{copy.port}/xmppd" in copy.url("xmppd")


def test_a_statement_that_fails_says_why(folder: Path) -> None:
    """Whoever starts a server is told."""
    with cluster(folder / "data", free_ports()[0]) as found, pytest.raises(ClusterError, match=r"psql failed.*syntax"):
        found._sql("postgres", "-c", "selekt")


def test_a_cluster_that_ends_says_why(folder: Path) -> None:
    """Its last words are in the error."""
    with cluster(folder / "data", free_ports()[0]):
        pass
    (folder / "data" / "data" / "PG_VERSION").write_text("1\n")
    broken = Cluster(folder / "data", free_ports()[0])
    process = broken.start()
    with pytest.raises(ClusterError, match="PostgreSQL ended with 1"):
        wait(process, broken)
