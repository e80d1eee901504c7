"""Runs the stages of a worker, each in a process of its own, and starts anew what ends."""

from __future__ import annotations

import contextlib
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger("nadhir.worker")

GRACE_S = 5.0  # to end in order
_BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)  # before it is started again, the next failure in a row
_WELL_S = 60.0  # what ran so long had begun well


class _Child:
    """The process of a stage."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self.failures = 0  # in a row
        self.start()

    def start(self) -> None:
        # a stage ends when its standard input does: so none outlives a supervisor that was killed
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603
        self._began = time.monotonic()
        self._again: float | None = None

    def look(self) -> int | None:
        """Start it again when it ended; its exit code once it fails too often in a row."""
        code = self.process.poll()
        if code is None:
            return None
        now = time.monotonic()
        if self._again is None:
            self.failures = 1 if now - self._began >= _WELL_S else self.failures + 1
            if self.failures > len(_BACKOFF_S):
                return code or 1
            wait_s = _BACKOFF_S[self.failures - 1]
            log.error("%s ended with code %s; again in %g s", self._command[5], code, wait_s)
            self._again = now + wait_s
        elif now >= self._again:
            self.start()
        return None

    def end(self, until: float) -> None:
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s does not end; it is killed", self._command[5])
            self.process.kill()
            self.process.wait()


def supervise(stages: Sequence[str], arguments: Sequence[str], metrics: Path | None = None) -> int:
    """Run stages until SIGTERM or SIGINT.

    Parameters
    ----------
    stages : sequence of str
    arguments : sequence of str
        Of the command line, for each.
    metrics : Path, optional
        Folder in which each has a socket for its metrics.

    Returns
    -------
    int
        0 if it was told to end, else the exit code of a stage that cannot be kept running.
    """
    command = [sys.executable, "-m", "streams.cli", "worker", "--stages"]
    children = []
    for stage in stages:
        told_at = ["--metrics-socket", str(metrics / stage)] if metrics else []
        children.append(_Child([*command, stage, "--child", *told_at, *arguments]))
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _: told.append(n))
    failed = 0
    while not told and not failed:
        time.sleep(0.1)
        failed = next((code for child in children if (code := child.look()) is not None), 0)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + GRACE_S
    for child in children:
        child.end(until)
    return failed
