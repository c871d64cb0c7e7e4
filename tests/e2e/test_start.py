"""What keeps a server from starting: one line on standard error that says what to do, and an exit code."""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .certificates import self_signed
from .deployment import CAPULET, Single
from .node import PROGRAM, Node
from .process import Process
from .settings import Options

HOST = f'hosts."{CAPULET}"'


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """A server that could start."""
    certificate, key = self_signed(tmp_path, CAPULET)
    host: Options = {"certificate": certificate.name, "key": key.name}
    return Node(tmp_path, {HOST: host}, {"starttls": {"kind": "c2s"}})


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    """A port that somebody else listens on."""
    listening = socket.create_server(("127.0.0.1", 0))
    yield listening
    listening.close()


def complaint(process: Process) -> str:
    """Check that it ends, with one line for the operator; return that line."""
    assert process.ends() == 1, process.stderr
    lines = process.stderr.splitlines()
    assert len(lines) == 1, process.stderr
    assert lines[0].startswith("xmppd: ")
    assert process.stdout == ""
    return lines[0]


def refused(node: Node) -> str:
    """Write the configuration and start the server, which must fail; return its complaint."""
    node.write()
    return complaint(node.launch())


def test_a_port_in_use(node: Node, taken: socket.socket) -> None:
    """The port, and that another one may be chosen in which file; the log has the line too."""
    port = taken.getsockname()[1]
    node.tables["listeners"][0]["port"] = port
    told = refused(node)
    assert f"127.0.0.1 port {port}: Address already in use: stop what listens there, or choose another port in" in told
    assert str(node.file) in told
    assert "the server cannot start: 127.0.0.1 port" in node.log()
    assert "Traceback" not in node.log()


def test_a_port_of_http_in_use(node: Node, taken: socket.socket) -> None:
    """HTTP is opened by other means and told alike."""
    node.tables["listeners"].append({"kind": "http", "port": taken.getsockname()[1]})
    assert "Address already in use: stop what listens there" in refused(node)


def test_an_address_of_another_machine(node: Node) -> None:
    """TEST-NET-3 is nobody's."""
    node.tables["listeners"][0]["address"] = "203.0.113.1"
    assert "203.0.113.1 port 0: " in (told := refused(node))
    assert "choose another address or port" in told


def test_without_a_log_file_the_line_stands_alone_too(node: Node, taken: socket.socket) -> None:
    """On standard error the log has no second version of it, and no traceback."""
    node.tables["listeners"][0]["port"] = taken.getsockname()[1]
    node.tables["log"] = {"level": "error"}
    refused(node)


def test_something_in_the_place_of_the_data_folder(node: Node) -> None:
    """A file is no folder."""
    (node.folder / "data").write_text("")
    assert f"{node.folder}/data: is no folder: remove it, or set another server.data_folder" in refused(node)


def test_a_log_that_cannot_be_written(node: Node) -> None:
    """Its folder is missing."""
    node.tables["log"] = {"file": "logs/xmppd.log"}
    assert "the log cannot be written: No such file or directory: create its folder" in refused(node)


def test_a_ready_file_that_cannot_be_written(node: Node) -> None:
    """Its folder is missing."""
    node.tables["server"]["pid_file"] = "run/pid"
    assert "run/pid: No such file or directory: create its folder" in refused(node)


def test_a_socket_with_a_long_name(node: Node) -> None:
    """The kernel has a limit."""
    node.tables["admin"] = {"socket": "s" * 120}
    assert "a socket's path has at most" in refused(node)


def garbage(folder: Path) -> str:
    """Make the certificate garbage; return what is to be told."""
    (folder / f"{CAPULET}.crt").write_text("garbage")
    return f"{CAPULET}.crt: "


def mismatch(folder: Path) -> str:
    """Take somebody else's key."""
    _, key = self_signed(folder / "other", CAPULET)
    key.replace(folder / f"{CAPULET}.key")
    return f"{CAPULET}.key: the key does not belong to the first certificate"


def missing(folder: Path) -> str:
    """Remove the certificate."""
    (folder / f"{CAPULET}.crt").unlink()
    return "there is no such file"


@pytest.mark.parametrize("spoil", [garbage, mismatch, missing])
def test_a_bad_certificate(node: Node, spoil: Callable[[Path], str]) -> None:
    """Found when it is read, not at the first handshake."""
    expected = spoil(node.folder)
    assert expected in refused(node)


def test_authorities_that_are_none(node: Node) -> None:
    """The file of those who vouch for users."""
    (node.folder / "users.crt").write_text("garbage")
    node.tables["listeners"][0]["client_authorities"] = "users.crt"
    assert "users.crt: holds no certificates of authorities in PEM form" in refused(node)


def test_a_configuration_that_is_half_written(node: Node) -> None:
    """Where it ends."""
    node.file.write_text('[server]\ndata_folder = "data')
    told = complaint(node.launch())
    assert f"{node.file}: line 2, column" in told
    assert "is it complete?" in told


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    """How to make one."""
    told = complaint(Process((PROGRAM, "--config", tmp_path / "xmppd.toml"), tmp_path))
    assert "there is no such file: create it" in told


def test_no_configuration_at_all(tmp_path: Path) -> None:
    """How to name one."""
    assert "name it with --config FILE" in complaint(Process((PROGRAM,), tmp_path))


def test_an_unknown_key(node: Node) -> None:
    """The nearest name is told."""
    node.tables["limits"] = {"conections": 5}
    assert "limits.conections: " in (told := refused(node))
    assert 'did you mean "connections"?' in told


def test_a_host_that_is_no_domain(node: Node) -> None:
    """Found before anything is opened."""
    node.tables['hosts."not a domain"'] = node.tables.pop(HOST)
    assert '"not a domain"' in refused(node)


def test_a_database_that_is_down(node: Node, taken: socket.socket) -> None:
    """Where it should be; its password is not told."""
    port = taken.getsockname()[1]
    taken.close()
    node.tables["shards"] = [{"url": f"postgresql://xmppd:pencil@127.0.0.1:{port}/xmppd"}]
    told = refused(node)
    assert f"127.0.0.1:{port}" in told
    assert "start the database or correct the url" in told
    assert "pencil" not in told + node.log()


def test_a_database_of_a_newer_release(node: Node) -> None:
    """It is left alone."""
    data = node.folder / "data"
    data.mkdir()
    with sqlite3.connect(data / "xmppd.sqlite") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()
    assert "has revision 9999, which is newer than this release's" in (told := refused(node))
    assert "run a newer release" in told


def test_a_second_server_on_one_data_folder(own: Single) -> None:
    """It harms the first one in no way."""
    own.start()
    node = own.nodes[0]
    told = complaint(Process((PROGRAM, "--config", node.file), _folder(node.folder / "second")))
    assert f"another server (process {node.running.pid}) uses this folder: stop it first" in told
    assert (node.folder / "data" / "ready").exists()
    assert node.admin("account", "count")["kind"] == "fields"


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("nowhere.to.be.found", None, "cannot be imported"),
        ("broken", "def oops(:", "broken"),
        ("failing", "raise RuntimeError('out of luck')", "out of luck"),
        ("empty", "", "holds no xmppd module"),
    ],
)
def test_a_module_that_cannot_be_imported(node: Node, name: str, source: str | None, reason: str) -> None:
    """Whatever is wrong with its code, one line names it."""
    if source is not None:
        (node.folder / f"{name}.py").write_text(source)
    node.tables["modules"] = {"load": [name]}
    node.write()
    told = complaint(Process((PROGRAM, "--config", node.file), node.folder, {"PYTHONPATH": str(node.folder)}))
    assert name in told
    assert reason in told
