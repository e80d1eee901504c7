"""An event is told once; for a day what worsens or begins anew is told again, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from models.calendar import Calendar
from models.rarity import RARE
from models.series import SeriesDetector
from models.telling import Telling

ROW_S = 300.0
HOUR = 12  # rows
WIDTHS_S = [ROW_S, 1800.0, 21_600.0]


def told(rarities: list[list[float]]) -> list[int]:
    """Rows of alarms, one row every five minutes."""
    telling = Telling(WIDTHS_S)
    news = [telling.news(each, ROW_S * row) for row, each in enumerate(rarities)]
    return [row for row, each in enumerate(news) if each >= RARE]


def rows(count: int, *rarities: float) -> list[list[float]]:
    return [list(rarities)] * count


def test_what_goes_on_is_told_once_a_day() -> None:
    assert told(rows(30 * HOUR, 2.0, 2.2, 2.4)) == [0, 24 * HOUR + 1]


def test_what_worsens_is_told_again_by_ever_larger_steps() -> None:
    climb = [[2.0 + 0.1 * row, 0.0, 0.0] for row in range(60)]
    # 2.0, then half a decade, one, two rarer
    assert told(climb) == [0, 5, 15, 35]


def test_what_stays_below_the_line_tells_nothing_and_hides_nothing() -> None:
    telling = Telling(WIDTHS_S)
    assert telling.news([RARE - 0.1, 0.0, 0.0], 0.0) == RARE - 0.1
    assert telling.news([RARE, 0.0, 0.0], ROW_S) == RARE


@pytest.mark.parametrize(
    ("quiet", "again", "news"),
    [
        (HOUR, RARE + 0.6, True),
        (HOUR, RARE + 0.4, False),  # within the day the line lies half a decade higher
        (HOUR // 2, RARE + 0.6, False),  # still the same event
    ],
)
def test_what_begins_anew_is_told_again(quiet: int, again: float, news: bool) -> None:
    first, usual = rows(1, 3.3, 0.0, 0.0), rows(quiet, 0.0, 0.0, 0.0)
    assert told(first + usual + rows(1, again, 0.0, 0.0)) == [0, *([quiet + 1] if news else [])]


def test_a_long_window_that_holds_what_was_told_has_no_news() -> None:
    first = rows(1, 3.3, 0.0, 2.0)
    # the burst is over, six hours still hold it, and rise a little with what is usual
    assert told(first + rows(2 * HOUR, 0.0, 0.0, 2.7)) == [0]
    assert told(first + rows(2 * HOUR, 0.0, 0.0, 2.0) + rows(1, 2.7, 0.0, 2.0)) == [0, 2 * HOUR + 1]
    # nor has it after a quiet hour: it needs six
    quiet = rows(2 * HOUR, 0.0, 0.0, 0.0)
    assert told(first + quiet + rows(1, 0.0, 0.0, 2.7)) == [0]
    assert told(first + 3 * quiet + rows(1, 0.0, 0.0, 2.7)) == [0, 6 * HOUR + 1]


def test_new_onsets_ask_for_no_more_each_time() -> None:
    quiet = rows(HOUR, 0.0, 0.0, 0.0)
    burst = rows(1, 2.3, 0.0, 0.0)
    assert len(told((burst + quiet) * 4)) == 4


@pytest.mark.parametrize(("apart", "alarms"), [(3, 1), (36, 2)])
def test_a_second_burst_of_a_day_scores_if_it_is_an_event_of_its_own(
    apart: int, alarms: int
) -> None:
    rng = np.random.default_rng(4)
    values = rng.poisson(4.0, 288 * 15).astype(float)
    at = 288 * 14
    values[at], values[at + apart] = 130.0, 130.0
    detector = SeriesDetector(Calendar(["UTC"], [(5, 6)]), ROW_S)
    scores = [detector.step(ROW_S * row, value).score for row, value in enumerate(values.tolist())]
    assert sum(score >= 0.5 for score in scores[at:]) == alarms
