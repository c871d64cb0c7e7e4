"""Programs of Debian's packages, for tests that talk to other people's software.

A program is taken from the machine if it is there. Otherwise its package is installed (as root, or by a sudo that asks
nothing), and its daemon, if it has one, is not started. Who may not install gets the package and what it depends on
unpacked under `.cache/`, from package lists kept there too: that needs no rights and changes nothing on the machine.
"""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import ServiceMissing

SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
# No question is asked and no daemon started: postinst scripts ask systemctl, which does nothing when offline.
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1", "RUNLEVEL": "1"}
INSTALL = ("--yes", "--quiet", "--quiet", "--no-install-recommends", "install")


@dataclass(frozen=True, slots=True)
class Program:
    """A program and what its environment must hold beyond the usual."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Packages:
    """Finds programs on the machine, installs their packages or unpacks them under `cache`.

    :ivar search: where programs are looked up, in the form of the environment variable PATH.
    :ivar is_root: whether packages may be installed without sudo.
    """

    cache: Path
    search: str = os.pathsep.join((os.environ.get("PATH", os.defpath), *SBIN))
    is_root: bool = os.geteuid() == 0
    _updated: list[Sequence[str]] = field(default_factory=list)

    def program(self, name: str, package: str = "") -> Program:
        """Return the program `name` of Debian's `package` (default: the same name); raise `ServiceMissing`."""
        package = package or name
        ways: Sequence[Callable[[str, str], Program | None]] = (self._present, self._installed, self._unpacked)
        with self._alone():
            for way in ways:
                if found := way(name, package):
                    return found
        raise ServiceMissing(name, f"sudo apt-get install {package}")

    def _present(self, name: str, package: str = "") -> Program | None:
        path = shutil.which(name, path=self.search)
        return Program(Path(path)) if path else None

    def _installed(self, name: str, package: str) -> Program | None:
        if (rights := self._rights()) is None:
            return None
        apt_get = (*rights, "env", *(f"{key}={value}" for key, value in QUIET.items()), "apt-get")
        self._update(apt_get)
        self._run(*apt_get, *INSTALL, package)
        return self._present(name)

    def _rights(self) -> Sequence[str] | None:
        """Return what must stand before a command of root's, or None if we may not run any."""
        if not shutil.which("apt-get", path=self.search):
            return None
        if self.is_root:
            return ()
        may_sudo = shutil.which("sudo", path=self.search) and self._run("sudo", "--non-interactive", "true") is not None
        return ("sudo", "--non-interactive") if may_sudo else None

    def _unpacked(self, name: str, package: str) -> Program | None:
        if (found := self._in_cache(name)) or not shutil.which("apt-get", path=self.search):
            return found
        apt_get = ("apt-get", *self._private_state())
        self._update(apt_get)
        plan = self._run(*apt_get, "--simulate", *INSTALL, package)
        # "Inst libfoo1 (1.2 ...)", what is depended on first: an interrupted run leaves no program without its libraries.
        needed = [line.split()[1] for line in (plan or "").splitlines() if line.startswith("Inst ")]
        return self._in_cache(name) if all(self._unpack(apt_get, each) for each in needed) else None

    def _update(self, apt_get: Sequence[str]) -> None:
        """Fetch the package lists, once for each place where they are kept."""
        if apt_get not in self._updated and self._run(*apt_get, "--quiet", "--quiet", "update") is not None:
            self._updated.append(apt_get)

    def _unpack(self, apt_get: Sequence[str], package: str) -> bool:
        """Fetch a package and unpack it; say whether that went well."""
        folder = self.cache / "archives" / package
        folder.mkdir(parents=True, exist_ok=True)
        if self._run(*apt_get, "--quiet", "--quiet", "download", package, cwd=folder) is None:
            return False
        for archive in folder.glob("*.deb"):
            if self._run("dpkg", "--extract", str(archive), str(self.cache / "root")) is None:
                return False
            archive.unlink()
        return True

    def _in_cache(self, name: str) -> Program | None:
        root = self.cache / "root"
        path = shutil.which(name, path=os.pathsep.join(str(root / each) for each in ("usr/bin", "usr/sbin", "bin")))
        if path is None:
            return None
        libraries = sorted({str(each.parent) for top in ("lib", "usr/lib") for each in root.glob(f"{top}/**/*.so*")})
        return Program(Path(path), {"LD_LIBRARY_PATH": os.pathsep.join(libraries)})

    def _private_state(self) -> Sequence[str]:
        """Return the options by which apt keeps its lists and archives in our cache and needs no lock of root's."""
        for folder in ("lists/partial", "archives/partial", "root"):
            (self.cache / folder).mkdir(parents=True, exist_ok=True)
        options = {
            "Dir::State::Lists": str(self.cache / "lists"),
            "Dir::Cache": str(self.cache),
            "Debug::NoLocking": "true",
            "APT::Sandbox::User": "",
        }
        return [word for key, value in options.items() for word in ("-o", f"{key}={value}")]

    def _run(self, *command: str, cwd: Path | None = None) -> str | None:
        """Run a command; return what it printed, or None if it failed."""
        environment = {**os.environ, "PATH": self.search, "LC_ALL": "C"}
        done = subprocess.run(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return done.stdout if done.returncode == 0 else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the cache's lock, so that two test runs do not install or unpack at the same time."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
