"""The simulation's data files (streams/scenarios), read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load(name: str) -> dict[str, Any]:
    """Return ``streams/scenarios/<name>.yaml`` as plain data; callers must not change it."""
    text = (files("streams") / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506  safe in both forms
    return loaded
