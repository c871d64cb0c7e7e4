"""proc(5): reading processes and the machine, and finding descendants."""

import os

from bench.procs import PAGE_KIB, TICKS_PER_SECOND, Process, machine, parse_machine, parse_process, processes, tree

# pid (comm) state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime ...
STAT = b"42 (a (strange) name) S 7 42 42 0 -1 4194304 1 2 3 4 100 50 20 10 20 0 1 0 999 12345 77 18446744073709551615"


def test_a_process_is_read_past_the_brackets_in_its_name() -> None:
    """proc_pid_stat(5): the second field may contain anything, so reading starts behind its last bracket."""
    process = parse_process(STAT)
    assert process.parent == 7
    assert process.cpu == 180 / TICKS_PER_SECOND
    assert process.resident == 77 * PAGE_KIB


def test_idle_and_stolen_time_are_not_busy() -> None:
    """proc_stat(5): idle and iowait are no use of the machine; steal is the hypervisor's; guest is in user already."""
    found = parse_machine(b"cpu  100 20 30 4000 500 6 7 8 90 0\ncpu0 1 2 3 4\n")
    assert found.busy == (100 + 20 + 30 + 6 + 7) / TICKS_PER_SECOND
    assert found.stolen == 8 / TICKS_PER_SECOND


def test_a_tree_has_all_descendants_and_nobody_else() -> None:
    """Children of children count; siblings and parents do not."""
    table = {pid: Process(parent, float(pid), 0) for pid, parent in ((1, 0), (2, 1), (3, 2), (4, 3), (5, 1))}
    assert sorted(process.cpu for process in tree(2, table)) == [2, 3, 4]


def test_a_tree_of_a_process_that_is_gone_is_empty() -> None:
    """A server that died has no figures, and that is no error of the meter."""
    assert tree(9, {1: Process(0, 0.0, 0)}) == []


def test_the_running_test_is_found() -> None:
    """The real tables can be read: this process is in them, with memory and a parent."""
    own = processes()[os.getpid()]
    assert own.parent == os.getppid()
    assert own.resident > 0
    assert machine().busy > 0
