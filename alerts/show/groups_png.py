"""Groups of accounts as one picture (PNG), network and timeline, to be passed on."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import resvg_py

from alerts.playbook.records import Bilingual
from alerts.playbook.text import right_to_left, strip_controls
from alerts.show.groups import (
    NETWORK_HEIGHT,
    TIME_HEIGHT,
    WIDTH,
    Card,
    GroupPicture,
    Network,
    Timeline,
    cards_of,
)
from alerts.show.page import environment
from alerts.texts import Phrases, load_phrases

# has Latin and Arabic letters; others come from the machine's fonts, where it has any
_FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_LEFT, _PAD, _GAP = 48.0, 28.0, 24.0  # beside what is drawn, within cards, between them
_MAST, _FOOT = 92.0, 48.0
_TOLD, _LINE, _LETTERS = 68.0, 23.0, 56  # where what is told begins, its lines, letters in one
_AFTER_TOLD, _AROUND_DRAWN = 20.0, 176.0  # headings, axes and the key
_PIXELS = 24e6  # at most
_TITLE = 110  # letters


class _Drawn(NamedTuple):
    """A card and its places: ``told`` in lines, ``drawn`` is where the network begins."""

    network: Network
    timeline: Timeline
    heading: Bilingual
    told_ar: list[str]
    told_en: list[str]
    timeline_heading: Bilingual
    top: float
    drawn: float
    height: float


def render_groups_png(pictures: Sequence[GroupPicture], title: str) -> bytes:
    """Draw groups as one picture.

    Parameters
    ----------
    pictures : sequence of GroupPicture
        In the order in which they are shown; `alerts.show.groups.MOST_GROUPS` at most are.
    title : str
        What was looked at, such as the name of a file.

    Returns
    -------
    bytes
        PNG, 2192 pixels wide, less where there are many groups.

    Examples
    --------
    >>> render_groups_png([], "nothing.jsonl")[1:4]
    b'PNG'
    """
    svg, pixels = groups_svg(pictures, title)
    zoom = min(2.0, (_PIXELS / pixels) ** 0.5)
    return resvg_py.svg_to_bytes(svg_string=svg, font_files=[str(_FONT)], zoom=zoom)


def groups_svg(pictures: Sequence[GroupPicture], title: str) -> tuple[str, float]:
    """The same as SVG that nothing is loaded into, and its area in units."""
    phrases = load_phrases()
    cards: list[_Drawn] = []
    top = _MAST
    for card in cards_of(pictures):
        cards.append(_drawn(card, top, phrases))
        top += cards[-1].height + _GAP
    missing = len(pictures) - len(cards)
    width, height = WIDTH + 2 * _LEFT, top + (_FOOT if missing or not cards else 0)
    svg = environment().get_template("groups.svg.j2").render(
        cards=cards,
        title=_short(strip_controls(title)),
        missing=missing,
        width=width,
        height=height,
        left=_LEFT,
        right=_LEFT + WIDTH,
        pad=_PAD,
        told=_TOLD,
        line=_LINE,
        network_height=NETWORK_HEIGHT,
        time_height=TIME_HEIGHT,
        rtl=right_to_left,  # SVG's own direction is not known to the renderer
    )  # fmt: skip
    return svg, width * height


def _short(title: str) -> str:
    """A name with its beginning and its end."""
    if len(title) <= _TITLE:
        return title
    return f"{title[: _TITLE // 2]}…{title[-_TITLE // 2 + 1 :]}"


def _drawn(card: Card, top: float, phrases: Phrases) -> _Drawn:
    kind = phrases.say(f"group_page.kinds.{card.group.kind}")
    over_time = phrases.say("group_page.timeline")
    bar = phrases.duration(card.timeline.bar_min)
    ar, en = (textwrap.wrap(told, _LETTERS) for told in (card.explanation.ar, card.explanation.en))
    drawn = _TOLD + _LINE * max(len(ar), len(en)) + _AFTER_TOLD
    return _Drawn(
        card.network,
        card.timeline,
        Bilingual(
            ar=f"{kind.ar} · {card.group.score:.2f}", en=f"{kind.en} · {card.group.score:.2f}"
        ),
        ar,
        en,
        Bilingual(ar=f"{over_time.ar} ({bar.ar})", en=f"{over_time.en} ({bar.en})"),
        top,
        drawn,
        drawn + NETWORK_HEIGHT + TIME_HEIGHT + _AROUND_DRAWN,
    )
