"""A Dockerfile, and its steps carried out in a folder instead of in containers.

Every absolute path of the image is a path below the folder, the machine's Python stands for that
of the base image, and COPY copies.  What the last stage does to the base system (its user, its own
pip) is not carried out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

# the longest first, so that none is taken for a part of another
_PLACES = (
    "/usr/local/bin/nadhir-entrypoint",
    "/var/lib/nadhir",
    "/opt/nadhir",
    "/etc/nadhir",
    "/src",
)
_CACHE = "/var/cache/pip"


@dataclass
class Stage:
    """From one FROM to the next."""

    image: str
    name: str | None
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str:
        """What an instruction says at last."""
        return [text for name, text in self.steps if name == word][-1]


def stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text(encoding="utf-8"))
    text = re.sub(r"\\\n\s*", "", text)
    found: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            found.append(Stage(image, name or None))
        else:
            found[-1].steps.append((word, rest.strip()))
    return found


def environment(stage: Stage) -> dict[str, str]:
    """What ENV sets."""
    pairs = [text for word, text in stage.steps if word == "ENV"]
    return dict(pair.split("=", 1) for text in pairs for pair in text.split())


class Folder:
    """Where the image is made."""

    def __init__(self, root: Path, context: Path) -> None:
        self.root = root
        self._context = context
        self._tools = root / "tools"
        self._tools.mkdir()
        # a link would be followed back to this folder; a script is not
        python = self._tools / "python"
        python.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')
        python.chmod(0o755)
        cache = subprocess.run(
            [sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True
        )
        self._cache = cache.stdout.strip() or str(root / "cache")

    def at(self, text: str) -> str:
        """Words of the image, with their paths below this folder."""
        for place in _PLACES:
            text = re.sub(rf"(?<![\w.]){re.escape(place)}(?![\w-])", f"{self.root}{place}", text)
        return text.replace(_CACHE, self._cache)

    def carry_out(self, stage: Stage, *, runs: bool) -> None:
        """Carry out the steps of a stage; RUN only where ``runs``."""
        where = self.root
        # of the compiling, a part is enough to see that the command does what it should
        part = self.at("/opt/nadhir/lib/python3*/site-packages/streams")
        arguments = {"EXTRAS": "", "COMPILED": part}
        for word, text in stage.steps:
            if word == "WORKDIR":
                where = Path(self.at(text))
                where.mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self._copy(text, where)
            elif word == "RUN":
                command = self.at(re.sub(r"--mount=\S+\s+", "", text))
                path = f"{self._tools}:{os.environ['PATH']}"
                env = {"PATH": path, "HOME": os.environ.get("HOME", "/"), **arguments}
                check = ["sh", "-nc"] if not runs else ["sh", "-ec"]
                done = subprocess.run(
                    [*check, command], cwd=where, env=env, capture_output=True, text=True
                )
                assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def _copy(self, text: str, where: Path) -> None:
        *sources, target = [part for part in text.split() if not part.startswith("--")]
        if "--from=" in text:  # of the stage before, which stands where it is copied to
            assert sources == [target], text
            return
        to = Path(self.at(target)) if target.startswith("/") else where / target
        for source in sources:
            path = self._context / source
            if path.is_dir():
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, to, ignore=skip, dirs_exist_ok=True)
                continue
            if target.endswith("/"):
                to.mkdir(parents=True, exist_ok=True)
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
