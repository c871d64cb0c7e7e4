"""Runs a Python program and notes where its processor time goes: ``python -P sampler.py OUTPUT SCRIPT ARGUMENTS...``.

A timer of the process's own processor time interrupts it; at each tick every thread is charged for what it has used
since the tick before, at the place where it is now. So a thread that waits costs nothing, and a tick that comes late
(the interpreter handles signals between its instructions only) is not lost. Time in C is charged to the Python function
that called it, or to the one that it calls back first (expat's own to the element handlers, the loop's to protocols).
What no Python thread has used is charged to `NATIVE`.

Standard library only; it must not pull anything into the program that it watches.
"""

import json
import runpy
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

INTERVAL = 0.002  # seconds of processor time between two ticks
SLICE = 0.1  # seconds of the monotonic clock that one entry of the result is for
DEEPEST = 80  # frames
NATIVE = "threads without Python"

Stack = tuple[CodeType, ...]  # innermost first


def stack_of(frame: FrameType | None) -> Stack:
    """Return the code of a frame and of its callers."""
    codes: list[CodeType] = []
    while frame is not None and len(codes) < DEEPEST:
        codes.append(frame.f_code)
        frame = frame.f_back
    return tuple(codes)


def thread_cpu(ident: int) -> float:
    """Return the seconds of processor time that a living thread has used."""
    return time.clock_gettime(time.pthread_getcpuclockid(ident))


def name_of(code: CodeType) -> str:
    """Return a function as ``file:qualified name``."""
    return f"{code.co_filename}:{code.co_qualname}"


class Sampler:
    """Charges stacks with processor time, by slices of the monotonic clock."""

    def __init__(self) -> None:
        self._charged: dict[tuple[int, Stack], float] = {}
        self._spent: dict[int, float] = {}
        self._process = time.process_time()
        self._main = 0

    def start(self) -> None:
        """Begin; must be called in the main thread."""
        self._main = main_ident()
        self._spent = {ident: thread_cpu(ident) for ident in sys._current_frames()}
        signal.signal(signal.SIGPROF, self._tick)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)

    def stop(self) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _tick(self, _signal: int, frame: FrameType | None) -> None:
        moment = int(time.monotonic() / SLICE)
        charged = 0.0
        for ident, top in sys._current_frames().items():
            spent = thread_cpu(ident)
            used = spent - self._spent.get(ident, 0.0)
            self._spent[ident] = spent
            if used > 0:
                charged += used
                self._charge(moment, stack_of(frame if ident == self._main else top), used)
        process = time.process_time()
        self._charge(moment, (), max(0.0, process - self._process - charged))
        # what this function itself has used is nobody's
        self._spent[self._main] = thread_cpu(self._main)
        self._process = time.process_time()

    def _charge(self, moment: int, stack: Stack, used: float) -> None:
        key = (moment, stack)
        self._charged[key] = self._charged.get(key, 0.0) + used

    def result(self) -> Iterator[dict[str, Any]]:
        """Yield one entry for each slice and stack: when, which functions (innermost first), seconds."""
        for (moment, stack), used in self._charged.items():
            names = [name_of(code) for code in stack] or [NATIVE]
            yield {"at": moment * SLICE, "stack": names, "cpu": used}


def main_ident() -> int:
    """Return the identity of the calling thread; `threading` is not imported for it."""
    import _thread

    return _thread.get_ident()


def main() -> None:
    """Run the program given on the command line under the sampler."""
    output, script, *arguments = sys.argv[1:]
    sys.argv = [script, *arguments]
    sampler = Sampler()
    sampler.start()
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        sampler.stop()
        with Path(output).open("w") as file:
            for entry in sampler.result():
                file.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
