"""Sparklines: a day's talk and its negative share as points of an SVG, without axes."""

from __future__ import annotations

from typing import NamedTuple

from alerts.talk import Talk

WIDTH, HEIGHT = 192.0, 36.0


class Spark(NamedTuple):
    """What is drawn: the area of the volume, the lines of the negative share, and the figures.

    A share is drawn where something was said, so that its line may have gaps.
    """

    area: str
    shares: list[str]
    latest: int
    most: int
    total: int
    negative_share: float | None


def spark_of(talk: Talk) -> Spark | None:
    """A day's talk as it is drawn; None if nothing was said.

    Examples
    --------
    >>> spark = spark_of(Talk(until_ms=0, step_min=30, mentions=(0, 4, 2), negative=(0, 1, 2)))
    >>> spark.area
    '0,36 0,36 96,0 192,18 192,36'
    >>> spark.shares, spark.total, spark.negative_share
    (['96,27 192,0'], 6, 0.5)
    """
    total = sum(talk.mentions)
    if not total:
        return None
    most = max(talk.mentions)
    step = WIDTH / max(len(talk.mentions) - 1, 1)
    tops = [_point(i * step, HEIGHT * (1 - said / most)) for i, said in enumerate(talk.mentions)]
    lines: list[list[str]] = [[]]
    for i, share in enumerate(talk.shares):
        if share is not None:
            lines[-1].append(_point(i * step, HEIGHT * (1 - share)))
        elif lines[-1]:
            lines.append([])
    return Spark(
        area=" ".join((_point(0, HEIGHT), *tops, _point(WIDTH, HEIGHT))),
        shares=[" ".join(line) for line in lines if line],
        latest=talk.mentions[-1],
        most=most,
        total=total,
        negative_share=sum(talk.negative) / total,
    )


def _point(x: float, y: float) -> str:
    return f"{round(x, 1):g},{round(y, 1):g}"
