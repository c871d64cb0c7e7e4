"""The sampler: whom it charges, and that it lets the program be."""

import json
import subprocess
import sys
from pathlib import Path

from bench.profiler import SAMPLER, python_views
from bench.sampler import DEEPEST, NATIVE, Sampler, main_ident, name_of, stack_of, thread_cpu


def test_stacks_have_the_innermost_function_first() -> None:
    """And so many levels at most."""

    def here(levels: int) -> tuple[object, ...]:
        return here(levels - 1) if levels else stack_of(sys._getframe())

    assert stack_of(None) == ()
    assert here(2)[:3] == (here.__code__,) * 3
    assert len(here(DEEPEST + 10)) == DEEPEST


def test_functions_are_named_by_file_and_qualified_name() -> None:
    """Methods of two classes are told apart."""
    assert name_of(Sampler.start.__code__).endswith("bench/sampler.py:Sampler.start")


def test_processor_time_of_a_thread() -> None:
    """It grows, and is that of the thread alone."""
    before = thread_cpu(main_ident())
    assert 0 < before <= thread_cpu(main_ident())


def test_the_same_stack_in_the_same_slice_is_one_entry() -> None:
    """What no Python thread has used has a name of its own."""
    sampler = Sampler()
    code = test_functions_are_named_by_file_and_qualified_name.__code__
    for moment, stack, used in ((10, (code,), 0.25), (10, (code,), 0.5), (11, (code,), 1.0), (10, (), 2.0)):
        sampler._charge(moment, stack, used)
    found = [(entry["at"], entry["stack"], entry["cpu"]) for entry in sampler.result()]
    assert found == [(1.0, [name_of(code)], 0.75), (1.1, [name_of(code)], 1.0), (1.0, [NATIVE], 2.0)]


PROGRAM = """
import sys, threading, time

def busy():
    while time.thread_time() < 0.5:
        sum(range(500))

def idle():
    stop.wait()

stop = threading.Event()
waiting = threading.Thread(target=idle)
waiting.start()
busy()
stop.set()
sys.exit(int(sys.argv[1]))
"""


def test_the_sampler_charges_who_works(tmp_path: Path) -> None:
    """The busy function has nearly all, the waiting thread nearly nothing; arguments and exit status pass through."""
    program, output = tmp_path / "program.py", tmp_path / "samples.jsonl"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, "-P", SAMPLER, output, program, "7"], check=False)
    assert done.returncode == 7
    entries = [json.loads(row) for row in output.read_text().splitlines()]
    own = dict(python_views(entries)[1].shares)
    assert own["program.py:busy"] > 60
    assert own.get("threading.py:Condition.wait", 0.0) < 20
