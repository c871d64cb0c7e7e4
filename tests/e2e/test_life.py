"""The life of a process: it is told to stop, it is killed, it is told to read its configuration again."""

import re
import shutil
import signal

import pytest

from .cast import PASSWORD, Cast
from .certificates import self_signed
from .client import Client
from .deployment import CAPULET, MONTAGUE, Single
from .node import PROGRAM
from .process import Process
from .raw import Ended


async def name_of(client: Client) -> str:
    """Ask what the server is called (XEP-0092)."""
    answer = await client.plugin["xep_0092"].get_version(CAPULET)
    name: str = answer["software_version"]["name"]
    return name


async def test_told_to_stop(own: Single, own_cast: Cast) -> None:
    """SIGTERM: clients in every state are told `system-shutdown`, the marks go, and it ends well."""
    node = own.nodes[0]
    romeo, juliet, stranger = await own_cast.online("romeo"), await own_cast.session("juliet"), await own_cast.raw()
    await stranger.opens(CAPULET)
    silent = await own_cast.raw("direct")
    data = node.folder / "data"
    assert {file.name for file in data.iterdir()} >= {"ready", "xmppd.pid", "xmppd.sock"}

    node.running.signal(signal.SIGTERM)
    assert await romeo.gone == "system-shutdown"
    assert await juliet.receives_stream_error() == "system-shutdown"
    assert await stranger.receives_stream_error() == "system-shutdown"
    assert await silent.is_cut_off() == b""
    for raw in (juliet, stranger, silent):
        await raw.closes()
    assert node.running.ends() == 0
    assert {file.name for file in data.iterdir()}.isdisjoint({"ready", "xmppd.pid", "xmppd.sock"})
    assert node.running.stderr == ""
    assert [line for line in node.log().splitlines() if " info " not in line] == []
    assert not re.search("log_legacy|twisted|HttpSite", node.log()), "Twisted tells what we tell"


async def test_killed_and_started_again(own: Single, own_cast: Cast) -> None:
    """SIGKILL: what was acknowledged is there again, accounts, passwords, contacts; and it needs no cleaning up."""
    node = own.nodes[0]
    romeo, juliet = await own_cast.online("romeo"), await own_cast.online("juliet")
    await own_cast.friends(romeo, juliet)
    await romeo.plugin["xep_0077"].change_password("a new one, and longer", CAPULET)
    await romeo.update_roster(own_cast.stranger("rosaline"), name="Rosaline")

    node.running.kill()
    await romeo.gone
    await juliet.gone
    assert (node.folder / "data" / "ready").exists()
    node.start()

    again = own_cast.client(romeo.boundjid.full, password="a new one, and longer")
    await again.logs_in(own.place("starttls"))
    items = (await again.get_roster())["roster"]["items"]
    assert items[juliet.boundjid.bare]["subscription"] == "both"
    assert {item["name"] for item in items.values()} == {"", "Rosaline"}
    her = await own_cast.online("juliet")
    await again.comes_online()
    while (await her.presence())["from"] != again.boundjid:
        pass


async def test_another_certificate(own: Single, own_cast: Cast) -> None:
    """A renewed certificate: sessions go on under the old one, new connections see the new one."""
    node = own.nodes[0]
    romeo, old = await own_cast.online("romeo"), await own_cast.secured(MONTAGUE)
    for fresh in self_signed(node.folder / "renewed", MONTAGUE):
        shutil.copy(fresh, node.folder)
    told = node.admin("config", "reload")["text"]
    assert f"{MONTAGUE} has another certificate" in told

    new = await own_cast.secured(MONTAGUE)
    assert new.server_certificate != old.server_certificate
    await romeo.barrier()
    user = own_cast.account("benvolio", MONTAGUE).partition("@")[0]
    await old.opens(MONTAGUE)
    binding = ("tls-server-end-point", old.binding("tls-server-end-point"))
    assert await old.authenticates("SCRAM-SHA-256-PLUS", user, PASSWORD, binding) == "success"

    (node.folder / f"{MONTAGUE}.crt").write_text("half a certif")
    assert "the old certificate stays" in node.admin("config", "reload")["text"]
    still = await own_cast.secured(MONTAGUE, trusted=[node.folder / "renewed" / f"{MONTAGUE}.crt"])
    assert still.server_certificate == new.server_certificate


async def test_told_to_read_its_configuration_again(own: Single, own_cast: Cast) -> None:
    """SIGHUP and `xmppctl config reload`: what can change changes under live sessions; mistakes change nothing."""
    node = own.nodes[0]
    romeo = await own_cast.online("romeo")
    node.tables["server"] |= {"name": "Verona"}
    node.write()
    since = len(node.log())
    node.running.signal(signal.SIGHUP)
    node.logs(r"server\.name.*Verona", since)
    assert await name_of(romeo) == "Verona"

    node.tables["server"] |= {"nmae": "Mantua"}
    node.write()
    since = len(node.log())
    node.running.signal(signal.SIGHUP)
    node.logs(r"not reloaded.*did you mean \"name\"", since)
    assert await name_of(romeo) == "Verona"

    del node.tables["server"]["nmae"]
    node.tables["server"] |= {"name": "Mantua", "node": "node2"}
    node.write()
    ctl = Process((PROGRAM.with_name("xmppctl"), "--config", node.file, "config", "reload"), node.folder)
    assert ctl.ends() == 0, ctl.stderr
    assert 'server.name: "Verona" -> "Mantua"' in ctl.stdout
    assert "needs a restart" in ctl.stdout
    assert await name_of(romeo) == "Mantua"


async def test_a_rotated_log(own: Single, own_cast: Cast) -> None:
    """SIGHUP opens the log again; no line is lost."""
    node = own.nodes[0]
    old = node.log_file.rename(node.log_file.with_suffix(".1"))
    node.running.signal(signal.SIGHUP)
    node.running.until(node.log_file.exists, "it opened its log again")
    await own_cast.online("romeo")
    raw = await own_cast.raw()
    await raw.sends("<nonsense>")
    with pytest.raises(Ended):
        while True:
            await raw.receives()
    assert "invalid-namespace" in node.log()
    assert "invalid-namespace" not in old.read_text()
