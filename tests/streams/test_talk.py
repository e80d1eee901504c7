"""What was said over the last day, as pages show it."""

from __future__ import annotations

import numpy as np

from models.detector import Rolling
from models.records import Brand
from streams.talk import talk_of

BRANDS = (Brand(id="acme", names=("Acme",)), Brand(id="zain", names=("Zain",)))
MINUTE = 60_000
NOW = 29_000_000  # minutes


def test_a_day_in_half_hours_the_last_one_ends_now() -> None:
    rolling = Rolling(2)
    minutes = np.array([NOW - 1440, NOW - 1439, NOW - 30, NOW - 29, NOW, NOW])
    rolling.all.add(minutes, np.array([0, 0, 0, 0, 0, 1]))
    rolling.negative.add(minutes[3:5], np.array([0, 0]))
    talk = talk_of(rolling, BRANDS, NOW * MINUTE + 5)
    acme = talk["acme"]
    assert len(acme.mentions) == len(acme.negative) == 48
    assert acme.until_ms == (NOW + 1) * MINUTE
    # the minute before the day is not of it
    assert (acme.mentions[0], acme.mentions[-2:], acme.negative[-2:]) == (1, (1, 2), (0, 2))
    assert sum(acme.mentions) == 4
    assert acme.shares[1] is None
    assert acme.shares[-1] == 1.0
    assert (sum(talk["zain"].mentions), sum(talk["zain"].negative)) == (1, 0)


def test_event_time_that_went_on_without_mentions_leaves_them_behind() -> None:
    rolling = Rolling(2)
    rolling.all.add(np.array([NOW - 100]), np.array([0]))
    assert talk_of(rolling, BRANDS, NOW * MINUTE)["acme"].mentions[-4] == 1
    assert sum(talk_of(rolling, BRANDS, (NOW + 5_000) * MINUTE)["acme"].mentions) == 0
    assert talk_of(Rolling(2), BRANDS, NOW * MINUTE) == {}
