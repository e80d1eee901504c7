"""Runs the stages of a worker, each in a process of its own, and starts anew what ends.

The processes are forked: what the supervisor has read and imported, they need not read again, so
that a worker is back soon after it was killed.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("nadhir.worker")

GRACE_S = 5.0  # to end in order
_BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)  # before it is started again, the next failure in a row
_WELL_S = 60.0  # what ran so long had begun well
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Child:
    """The process of a stage."""

    def __init__(self, stage: str, run: Callable[[str], None]) -> None:
        self._stage = stage
        self._run = run
        self.failures = 0  # in a row
        self.start()

    def start(self) -> None:
        fork = multiprocessing.get_context("fork")
        self.process = fork.Process(target=self._run, args=(self._stage,), name=self._stage)
        self.process.start()
        self._began = time.monotonic()
        self._again: float | None = None

    def look(self) -> int | None:
        """Start it again when it ended; its exit code once it fails too often in a row."""
        code = self.process.exitcode
        if code is None:
            return None
        now = time.monotonic()
        if self._again is None:
            self.failures = 1 if now - self._began >= _WELL_S else self.failures + 1
            if self.failures > len(_BACKOFF_S):
                return code or 1
            wait_s = _BACKOFF_S[self.failures - 1]
            log.error("%s ended with code %s; again in %g s", self._stage, code, wait_s)
            self._again = now + wait_s
        elif now >= self._again:
            self.start()
        return None

    def end(self, until: float) -> None:
        self.process.join(max(0.1, until - time.monotonic()))
        if self.process.exitcode is None:
            log.warning("%s does not end; it is killed", self._stage)
            self.process.kill()
            self.process.join()


def supervise(stages: Sequence[str], run: Callable[[str], None]) -> int:
    """Run stages until SIGTERM or SIGINT.

    Parameters
    ----------
    stages : sequence of str
    run : callable
        Runs a stage, in a process that is forked for it, until SIGTERM or SIGINT.  There must be
        no other thread in this process, since none is forked.

    Returns
    -------
    int
        0 if it was told to end, else the exit code of a stage that cannot be kept running.
    """
    alive, held = os.pipe()  # what holds it open is alive

    def begin(stage: str) -> None:
        os.close(held)
        _begin(stage, alive)
        run(stage)

    gc.freeze()  # the processes share what is here already
    children = [_Child(stage, begin) for stage in stages]
    told: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda n, _: told.append(n))
    failed = 0
    while not told and not failed:
        time.sleep(0.1)
        failed = next((code for child in children if (code := child.look()) is not None), 0)
    for child in children:
        child.process.terminate()
    until = time.monotonic() + GRACE_S
    for child in children:
        child.end(until)
    return failed


def _begin(stage: str, alive: int) -> None:
    """In the process of a stage: end with the supervisor, and have a name in ``ps``."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    with suppress(OSError):  # there is no such file but on Linux
        Path("/proc/self/comm").write_text(f"nadhir-{stage}")

    def watch() -> None:
        os.read(alive, 1)  # nothing is ever written: it returns when the supervisor is gone
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
