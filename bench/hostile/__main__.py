"""Runs the attacks, one after another, and writes the report."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..meter import Meter
from ..negotiation import Target
from ..servers.base import DOMAIN, Instance
from ..servers.certificate import make_certificate
from ..servers.xmppd import ROOT, Xmppd
from . import before_login, stanzas, storms
from .attacker import Attacker
from .report import Outcome, report

Attack = Callable[[Attacker], Coroutine[Any, Any, str]]
ATTACKS: tuple[Attack, ...] = (*before_login.ATTACKS, *stanzas.ATTACKS, *storms.ATTACKS, *before_login.LAST)
REPORT = ROOT / "bench" / "results" / "hostile.md"
REST = 1.0  # seconds behind an attack, until memory is read


class Bystander:
    """The process that measures."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.hostile.bystander", str(port), DOMAIN],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._says()

    def period(self) -> list[float]:
        """End a period; return how long its pings took, in order of length."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        heard = json.loads(self._says())
        if not heard["open"]:
            raise RuntimeError("the bystander was thrown out")
        return sorted(heard["waits"])

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _says(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the bystander has ended")
        return line


def peak_of(pid: int) -> int:
    """Return the highest resident memory in KiB since the last call of `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def forget_peak(pid: int) -> None:
    """Begin to look for the highest resident memory anew: proc(5), clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def besieged(attacks: Iterable[Attack]) -> Iterator[Outcome]:
    """Start a server and a bystander; yield what comes of each attack."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        certificate = make_certificate(place, DOMAIN)
        with Xmppd().running(place, place / "data", certificate, keeps=True) as instance:
            bystander = Bystander(instance.port)
            try:
                for attack in attacks:
                    yield measured(attack, instance, bystander, place / "output.log")
            finally:
                bystander.stop()


def measured(attack: Attack, instance: Instance, bystander: Bystander, log: Path) -> Outcome:
    """Run one attack."""
    meter, attacker = Meter(instance.pid), Attacker(Target("127.0.0.1", instance.port, DOMAIN.encode()))
    forget_peak(instance.pid)
    bystander.period()
    before, logged, begin, begun = meter.resident(), log.stat().st_size, meter.cpu(), time.monotonic()
    outcome = asyncio.run(attack(attacker))
    seconds, cpu = time.monotonic() - begun, meter.cpu() - begin
    waits = bystander.period()
    time.sleep(REST)
    return Outcome(
        attack=(attack.__doc__ or "").strip().removesuffix("."),
        outcome=outcome,
        seconds=seconds,
        cpu=cpu,
        before=before,
        peak=peak_of(instance.pid),
        behind=meter.resident(),
        logged=log.stat().st_size - logged,
        waits=waits,
    )


def main() -> int:
    """Run them all, or those that are named."""
    parse = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    parse.add_argument("names", nargs="*", help=f"of attacks: {', '.join(attack.__name__ for attack in ATTACKS)}")
    options = parse.parse_args()
    chosen = [attack for attack in ATTACKS if not options.names or attack.__name__ in options.names]
    outcomes = []
    for outcome in besieged(chosen):
        print(outcome.line(), flush=True)
        outcomes.append(outcome)
    if not options.names:
        REPORT.write_text(report(outcomes, Xmppd().version(), os.cpu_count() or 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
