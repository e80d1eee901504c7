"""How much was said of each brand over the last day, left in the store for whoever shows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alerts.talk import Talk
from models.counts import DAY_MIN
from models.detector import Rolling
from models.records import Brand

STEP_MIN = 30
_MINUTE_MS = 60_000


def talk_of(rolling: Rolling, brands: Sequence[Brand], until_ms: int) -> dict[str, Talk]:
    """Mentions and negative ones of each brand in steps of half an hour, the last ending now."""
    if rolling.all.now is None:
        return {}
    last = until_ms // _MINUTE_MS
    marks = range(last - DAY_MIN, last + 1, STEP_MIN)
    said = np.diff([rolling.all.row(minute) for minute in marks], axis=0)
    negative = np.zeros_like(said)
    if rolling.negative.now is not None:
        negative = np.diff([rolling.negative.row(minute) for minute in marks], axis=0)
    return {
        brand.id: Talk(
            until_ms=(last + 1) * _MINUTE_MS,
            step_min=STEP_MIN,
            mentions=tuple(said[:, at].tolist()),
            negative=tuple(negative[:, at].tolist()),
        )
        for at, brand in enumerate(brands)
    }
