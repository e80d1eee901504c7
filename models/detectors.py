"""The detectors that run.

To add one: write ``models/<name>.py`` with a class that satisfies ``Detector``, and add it to
``create_detectors``.  tests/models/test_detectors.py runs the shared checks over every entry.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.calendar import Calendar
from models.detector import Detector
from models.negativity import NegativeShare
from models.records import SURPRISE_LINES, Brand
from models.volume import CountSpike


def create_detectors(brands: Sequence[Brand]) -> list[Detector]:
    """The detectors that run, in the order in which their findings are reported."""
    calendar = Calendar(
        [b.timezone for b in brands],
        [b.weekend for b in brands],
        [[(h.first, h.last) for h in b.holidays] for b in brands],
    )
    lines = np.array([SURPRISE_LINES[b.sensitivity] for b in brands])
    return [
        CountSpike("volume", calendar, lines),
        CountSpike("negative_count", calendar, lines),
        NegativeShare(calendar, lines),
    ]
