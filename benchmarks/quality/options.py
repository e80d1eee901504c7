"""What sections are told: where the data lie, and how much to run."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.quality.document import ROOT, QualityError


@dataclass(frozen=True, slots=True)
class Options:
    """What a section is told.

    Attributes
    ----------
    data : Path
        The shared data; ``NADHIR_TEST_DATA`` names another folder.
    seeds : int, optional
        At most so many runs of each scenario.
    """

    data: Path
    seeds: int | None = None

    def check_data(self) -> None:
        """Raise `QualityError` if the shared data are not there."""
        for part in ("volume", "sentiment"):
            if not (self.data / part).is_dir():
                raise QualityError(
                    f"no {part} in {_shown(self.data)}: figures need the shared data; put them "
                    "there, or name their folder in NADHIR_TEST_DATA"
                )

    def nab_score(self) -> ModuleType:
        """Import the scorer of the Numenta Anomaly Benchmark, which lies beside the data.

        Raises
        ------
        QualityError
            It is not there.
        """
        path = self.data.parent / "tools" / "nab_score.py"
        spec = importlib.util.spec_from_file_location("nab_score", path)
        if not path.is_file() or spec is None or spec.loader is None:
            raise QualityError(f"no {_shown(path)}: without it NAB scores cannot be told")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def options(seeds: int | None = None) -> Options:
    """Options as the environment has them."""
    folder = os.environ.get("NADHIR_TEST_DATA") or ROOT.parent / "shared" / "data"
    return Options(Path(folder), seeds)


def _shown(path: Path) -> str:
    return os.path.relpath(path)
