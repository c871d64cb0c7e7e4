"""Where the programs of Debian's packages come from. The machine is a folder of small shell scripts."""

import os
from pathlib import Path

import pytest

from tests.services import ServiceMissing
from tests.services.debian import Packages, Program

APT_GET = """
echo "apt-get $*" >>{log}
case "$*" in
*--simulate*) echo "NOTE: a simulation"; echo "Inst libthing1 (1.0)"; echo "Inst thing (1.0)"; echo "Conf thing (1.0)" ;;
*download*) touch "${{!#}}.deb" ;;
*install*) [ "{installs}" = yes ] && printf '#!/bin/sh\\n' >{bin}/thing && chmod +x {bin}/thing ;;
esac
"""
DPKG = """
case $2 in
*libthing1.deb) mkdir -p $3/usr/lib/cpu-linux-gnu; touch $3/usr/lib/cpu-linux-gnu/libthing.so.1 ;;
*thing.deb) mkdir -p $3/usr/bin; printf '#!/bin/sh\\n' >$3/usr/bin/thing; chmod +x $3/usr/bin/thing ;;
esac
"""


class Machine:
    """A machine that has the programs it is given, and keeps what apt-get was asked."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.log = folder / "log"
        self.log.touch()
        self.cache = folder / "cache"

    def has(self, name: str, script: str = "") -> None:
        """Put a program on the machine."""
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{script}")
        path.chmod(0o755)

    def has_apt_get(self, *, installs: bool) -> None:
        """Put apt-get and dpkg on the machine; `installs` says whether it may install."""
        self.has("apt-get", APT_GET.format(log=self.log, bin=self.bin, installs="yes" if installs else "no"))
        self.has("dpkg", DPKG)

    def packages(self, *, is_root: bool) -> Packages:
        """Return what finds programs here."""
        return Packages(self.cache, search=os.pathsep.join((str(self.bin), "/usr/bin", "/bin")), is_root=is_root)

    def asked(self) -> list[str]:
        """Return the verbs that apt-get was asked for."""
        verbs = ("update", "--simulate", "download", "install")
        return [next(verb for verb in verbs if verb in line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_program_that_is_there_is_taken(machine: Machine) -> None:
    """Nothing is asked of apt-get for a program that the machine has."""
    machine.has_apt_get(installs=True)
    machine.has("thing")

    assert machine.packages(is_root=True).program("thing") == Program(machine.bin / "thing")
    assert machine.asked() == []


def test_root_installs(machine: Machine) -> None:
    """Root installs the package; the lists are updated once."""
    machine.has_apt_get(installs=True)
    packages = machine.packages(is_root=True)

    assert packages.program("thing").path == machine.bin / "thing"
    (machine.bin / "thing").unlink()
    packages.program("thing")
    assert machine.asked() == ["update", "install", "install"]


def test_daemon_is_not_started(machine: Machine) -> None:
    """A package is installed with systemctl told to be offline."""
    machine.has_apt_get(installs=True)
    machine.has("apt-get", f'echo "$SYSTEMD_OFFLINE $DEBIAN_FRONTEND install" >>{machine.log}; exit 1')

    with pytest.raises(ServiceMissing):
        machine.packages(is_root=True).program("thing")

    assert machine.log.read_text().splitlines()[0] == "1 noninteractive install"


def test_sudo_that_asks_nothing_installs(machine: Machine) -> None:
    """An ordinary user with password-less sudo installs as root does."""
    machine.has_apt_get(installs=True)
    machine.has("sudo", 'shift; exec "$@"')

    assert machine.packages(is_root=False).program("thing").path == machine.bin / "thing"


def test_without_rights_the_package_is_unpacked(machine: Machine) -> None:
    """An ordinary user gets the program from the cache, with the libraries that it depends on."""
    machine.has_apt_get(installs=False)
    machine.has("sudo", "exit 1")

    found = machine.packages(is_root=False).program("thing")

    assert found.path == machine.cache / "root/usr/bin/thing"
    assert found.environment == {"LD_LIBRARY_PATH": str(machine.cache / "root/usr/lib/cpu-linux-gnu")}
    assert machine.asked() == ["update", "--simulate", "download", "download"]


def test_unpacked_package_is_kept(machine: Machine) -> None:
    """What was unpacked once is not fetched again."""
    machine.has_apt_get(installs=False)
    machine.has("sudo", "exit 1")
    first = machine.packages(is_root=False).program("thing")
    machine.log.write_text("")

    assert machine.packages(is_root=False).program("thing") == first
    assert machine.asked() == []


def test_package_without_its_dependencies_is_not_taken(machine: Machine) -> None:
    """A dependency that cannot be fetched ends the attempt before the program itself is unpacked."""
    machine.has_apt_get(installs=False)
    machine.has("sudo", "exit 1")
    machine.has(
        "dpkg", "case $2 in *libthing1.deb) exit 2 ;; *) mkdir -p $3/usr/bin; cp /bin/true $3/usr/bin/thing ;; esac"
    )

    with pytest.raises(ServiceMissing):
        machine.packages(is_root=False).program("thing")

    assert not (machine.cache / "root/usr/bin/thing").exists()


def test_what_cannot_be_had_names_its_remedy(machine: Machine) -> None:
    """Where there is no apt-get the error says what to install."""
    machine.has("apt-get", "exit 100")

    with pytest.raises(ServiceMissing) as caught:
        machine.packages(is_root=False).program("thing", "thing-server")

    assert (caught.value.service, caught.value.remedy) == ("thing", "sudo apt-get install thing-server")
