"""A replay that ends itself by SIGKILL after a while: ``replay_child.py FOLDER [SECONDS]``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from streams.config import load
from streams.replay import replay
from streams.sources import open_source


def main(folder: Path, kill_after_s: float | None) -> None:
    config = load(folder / "nadhir.yaml", {})
    source = open_source(str(folder / "mentions.jsonl"))
    if kill_after_s is not None:
        # a timer thread strikes anywhere: in a stage, in a commit, between two writes
        timer = threading.Timer(kill_after_s, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    result = replay(source, config, folder / "replay.db", commit_s=0.1)
    print("resumed" if result.resumed else "from the beginning")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None)
