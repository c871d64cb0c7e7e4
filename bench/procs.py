"""What the kernel knows of processes and of the machine: proc(5)."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One process.

    :ivar parent: its parent's process id.
    :ivar cpu: seconds of processor time, user and system, of itself and of the children it has reaped.
    :ivar resident: resident memory in KiB.
    """

    parent: int
    cpu: float
    resident: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Seconds of processor time since boot, summed over the cores: in use, and taken by the hypervisor."""

    busy: float
    stolen: float


def parse_process(stat: bytes) -> Process:
    """Read one ``/proc/<pid>/stat``; the command in it may contain spaces and brackets."""
    fields = stat[stat.rindex(b")") + 2 :].split()
    ticks = sum(int(value) for value in fields[11:15])
    return Process(int(fields[1]), ticks / TICKS_PER_SECOND, int(fields[21]) * PAGE_KIB)


def parse_machine(stat: bytes) -> Machine:
    """Read the first line of ``/proc/stat``: user nice system idle iowait irq softirq steal."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(value) for value in stat.split(None, 9)[1:9])
    return Machine((user + nice + system + irq + softirq) / TICKS_PER_SECOND, steal / TICKS_PER_SECOND)


def processes() -> dict[int, Process]:
    """Return every process of the machine by its id."""
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
                found[int(folder.name)] = parse_process((folder / "stat").read_bytes())
    return found


def machine() -> Machine:
    """Return what the whole machine has used."""
    return parse_machine((PROC / "stat").read_bytes())


def tree(root: int, table: dict[int, Process]) -> list[Process]:
    """Return the process `root` and all its descendants; empty if it is gone."""
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
    members, waiting = [], [root] if root in table else []
    while waiting:
        pid = waiting.pop()
        members.append(table[pid])
        waiting.extend(children.get(pid, ()))
    return members
