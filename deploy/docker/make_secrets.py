"""Draws the secrets of compose.yaml once, each into the volume of those who need it.

Runs in the container ``secrets`` before all others; what is there already stays as it is.
"""

from __future__ import annotations

import secrets
from pathlib import Path

_DATABASE = "postgresql://nadhir:{password}@postgres:5432/nadhir"


def make(root: Path) -> list[Path]:
    """Write what is missing below ``root``; the files that are new."""
    postgres = _kept(root / "postgres" / "password")
    metrics = _kept(root / "prometheus" / "metrics-token")
    wanted = {
        root / "postgres" / "password": postgres,
        root / "prometheus" / "metrics-token": metrics,
        root / "grafana" / "password": _kept(root / "grafana" / "password"),
        root / "intake" / "NADHIR_INTAKE__TOKEN": _kept(root / "intake" / "NADHIR_INTAKE__TOKEN"),
        root / "api" / "NADHIR_DATABASE__URL": _DATABASE.format(password=postgres),
        root / "api" / "NADHIR_METRICS__TOKEN": metrics,
        root / "intake" / "NADHIR_METRICS__TOKEN": metrics,
        root / "worker" / "NADHIR_METRICS__TOKEN": metrics,
    }
    new = [path for path in wanted if not path.exists()]
    for path in new:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
        path.chmod(0o444)  # read by the user of another image; its volume is the fence
    return new


def _kept(path: Path) -> str:
    """The secret of a file, or a new one."""
    return path.read_text(encoding="utf-8") if path.exists() else secrets.token_urlsafe(32)


if __name__ == "__main__":
    for made in make(Path("/secrets")):
        print(f"{made}: drawn", flush=True)
