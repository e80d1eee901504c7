"""Groups of accounts as one static page: network, timeline, evidence side by side."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import NamedTuple

import numpy as np

from alerts.playbook.records import Bilingual
from alerts.playbook.text import defang, right_to_left, strip_controls
from alerts.show.page import environment
from models.records import AccountGroup, Float64, GroupTrace

MOST_GROUPS = 20
MOST_ACCOUNTS = 150
_LINKS_EACH = 6
_PULL = 6.0
_LABELS, _LETTER, _LINE = 24, 8.3, 15.0  # at most, and their size
_WIDE = frozenset("MWm@%…")
_TURNS = 200
WIDTH, NETWORK_HEIGHT, TIME_HEIGHT = 1000.0, 520.0, 150.0  # of what is drawn, in units
_EDGE = 28.0
_MOST_BARS = 72
_BARS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10_080)
_WEEK_MIN = _BARS_MIN[-1]
_MINUTE_MS = 60_000


class GroupPicture(NamedTuple):
    """What is drawn of a group.

    Attributes
    ----------
    group : AccountGroup
    explanation : Bilingual
    names : sequence of str
        What its accounts are called.
    links : sequence of (int, int, int)
        The places of two of them, and how many things both shared.
    own_ms, all_ms : sequence of int
        When the group posted what it shares, and when anything was posted, that included.
    """

    group: AccountGroup
    explanation: Bilingual
    names: Sequence[str]
    links: Sequence[tuple[int, int, int]]
    own_ms: Sequence[int]
    all_ms: Sequence[int]


class _Label(NamedTuple):
    text: str
    x: float
    y: float
    anchor: str


class _Node(NamedTuple):
    name: str
    x: float
    y: float
    r: float
    label: _Label | None


class _Edge(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    width: float


class Network(NamedTuple):
    """Accounts and what joins them, in units of the picture; ``missing`` are not drawn."""

    nodes: list[_Node]
    edges: list[_Edge]
    missing: int


class _Bar(NamedTuple):
    x: float
    width: float
    own: float
    other: float
    shown: str


class Timeline(NamedTuple):
    """Mentions over time, a bar for every ``bar_min`` minutes."""

    bars: list[_Bar]
    first: str
    last: str
    most: int
    bar_min: int


class _Side(NamedTuple):
    account: str
    at: str
    words: list[tuple[str, bool]]


class Card(NamedTuple):
    """One group, laid out."""

    group: AccountGroup
    explanation: Bilingual
    network: Network
    timeline: Timeline
    evidence: list[tuple[GroupTrace, list[_Side]]]


def render_groups(pictures: Sequence[GroupPicture], title: str) -> str:
    """Render groups as one self-contained HTML page.

    Parameters
    ----------
    pictures : sequence of GroupPicture
        In the order in which they are shown; `MOST_GROUPS` at most are.
    title : str
        What was looked at, such as the name of a file.

    Returns
    -------
    str
        No script, no external resource; its policy (CSP) forbids both.

    Examples
    --------
    >>> "<script" in render_groups([], "nothing.jsonl")
    False
    """
    cards = cards_of(pictures)
    size = {"width": WIDTH, "height": NETWORK_HEIGHT, "time_height": TIME_HEIGHT}
    missing = len(pictures) - len(cards)
    page = environment().get_template("groups.html.j2")
    return page.render(cards=cards, title=strip_controls(title), missing=missing, **size)


def cards_of(pictures: Sequence[GroupPicture]) -> list[Card]:
    """What is shown of each group, laid out; of the first `MOST_GROUPS` of them."""
    return [
        Card(
            picture.group,
            picture.explanation,
            _network(picture),
            _timeline(picture),
            [(trace, list(_sides(trace))) for trace in picture.group.evidence],
        )
        for picture in pictures[:MOST_GROUPS]
    ]


def layout(count: int, links: Sequence[tuple[int, int, float]]) -> Float64:
    """Places of nodes: linked ones near each other, all apart; the same each time.

    Parameters
    ----------
    count : int
    links : sequence of (int, int, float)
        Two nodes and how strongly they pull.

    Returns
    -------
    float64[count, 2]
        Between 0 and 1.

    References
    ----------
    T. Fruchterman, E. Reingold, *Software: Practice and Experience* 21, 1991.

    Examples
    --------
    >>> at = layout(3, [(0, 1, 1.0)])
    >>> bool(np.hypot(*(at[0] - at[1])) < np.hypot(*(at[0] - at[2])))
    True
    """
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))  # a sunflower: nobody on the same place
    at = np.sqrt((np.arange(count) + 0.5) / max(count, 1))[:, None] * np.stack(
        [np.cos(turn), np.sin(turn)], axis=1
    )
    pull = np.zeros((count, count))
    for a, b, strength in links:
        pull[a, b] = pull[b, a] = strength
    degree = np.maximum(pull.sum(axis=1), 1e-9)
    pull *= _PULL / np.sqrt(np.outer(degree, degree))  # or the well connected would fall together
    ideal = 2 / np.sqrt(max(count, 1))
    for step in np.linspace(0.2, 0.005, _TURNS):
        apart = at[:, None] - at[None]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 1e-3)
        force = (ideal / distance) ** 2 - pull * distance / ideal
        moved = (apart * force[..., None]).sum(axis=1) - at  # and a little towards the middle
        length = np.maximum(np.hypot(moved[:, 0], moved[:, 1]), 1e-9)
        at = at + moved / length[:, None] * np.minimum(length, step)[:, None]
    low, high = at.min(axis=0, initial=0.0), at.max(axis=0, initial=0.0)
    placed: Float64 = (at - low) / np.maximum(high - low, 1e-9)
    return placed


def _network(picture: GroupPicture) -> Network:
    told = [0] * len(picture.names)
    for one, other, things in picture.links:
        told[one] += things
        told[other] += things
    most_told = sorted(range(len(told)), key=lambda i: (-told[i], picture.names[i]))
    drawn = most_told[:MOST_ACCOUNTS]
    place = {account: i for i, account in enumerate(drawn)}
    inside = [(place[a], place[b], n) for a, b, n in picture.links if a in place and b in place]
    inside = _strongest(inside)
    most = max((n for _, _, n in inside), default=1)
    at = layout(len(drawn), [(a, b, 0.3 + 0.7 * n / most) for a, b, n in inside])
    x = (_EDGE + at[:, 0] * (WIDTH - 2 * _EDGE)).round(1).tolist()
    y = (_EDGE + at[:, 1] * (NETWORK_HEIGHT - 2 * _EDGE)).round(1).tolist()
    strongest = max(told, default=1) or 1
    radii = [round(4 + 7 * (told[account] / strongest) ** 0.5, 1) for account in drawn]
    names = [picture.names[account] for account in drawn]
    labels = _labels(list(map(_label, names)), x, y, radii)
    nodes = [
        _Node(_plain(name), x[i], y[i], radii[i], labels.get(i)) for i, name in enumerate(names)
    ]
    edges = [_Edge(x[a], y[a], x[b], y[b], round(0.5 + 2 * n / most, 2)) for a, b, n in inside]
    whole = max(int(picture.group.facts.get("accounts", 0)), len(told))
    return Network(nodes, edges, whole - len(drawn))


def _strongest(links: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Of each account the links that weigh most."""
    kept, seen = [], Counter[int]()
    for one, other, things in sorted(links, key=lambda link: (-link[2], link[0], link[1])):
        if min(seen[one], seen[other]) < _LINKS_EACH:
            kept.append((one, other, things))
            seen.update((one, other))
    return kept


def _labels(
    names: list[str], x: list[float], y: list[float], radii: list[float]
) -> dict[int, _Label]:
    """Names where there is room, those with the most links first."""
    taken = [(x[i] - r, y[i] - r, x[i] + r, y[i] + r) for i, r in enumerate(radii)]
    labels: dict[int, _Label] = {}
    for i, name in enumerate(names):
        wide = sum(map(_width, name))
        for at, anchor in ((x[i] + radii[i] + 4, "start"), (x[i] - radii[i] - 4, "end")):
            left = at if anchor == "start" else at - wide
            box = (left, y[i] - _LINE / 2, left + wide, y[i] + _LINE / 2)
            if box[0] < 0 or box[2] > WIDTH or any(_meet(box, other) for other in taken):
                continue
            taken.append(box)
            labels[i] = _Label(_in_order(name), round(at, 1), round(y[i] + 4, 1), anchor)
            break
        if len(labels) == _LABELS:
            break
    return labels


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _label(name: str) -> str:
    """A name as it is written beside its node; letters that few fonts have in their usual form."""
    name = _plain(unicodedata.normalize("NFKC", name)) or "?"
    return name if len(name) <= 20 else f"{name[:19]}…"


def _width(letter: str) -> float:
    """Of a letter of a label, at most."""
    if unicodedata.combining(letter):
        return 0.0
    if letter in _WIDE or unicodedata.east_asian_width(letter) in "WF":
        return 13.0
    return 10.0 if letter.isupper() else _LETTER


def _in_order(name: str) -> str:
    """A name that begins from the right reads from the right, with what stands at its ends."""
    for letter in name:
        direction = unicodedata.bidirectional(letter)
        if direction == "L":
            break
        if direction in ("R", "AL"):
            return right_to_left(name)
    return name


def _timeline(picture: GroupPicture) -> Timeline:
    group = picture.group
    around = max((group.last_ms - group.first_ms) // 4, 10 * _MINUTE_MS)
    span_min = (group.last_ms - group.first_ms + 2 * around) / _MINUTE_MS
    weeks = ceil(span_min / _MOST_BARS / _WEEK_MIN)
    bar_min = next((m for m in _BARS_MIN if span_min / m <= _MOST_BARS), weeks * _WEEK_MIN)
    width_ms = bar_min * _MINUTE_MS
    first = (group.first_ms - around) // width_ms
    count = (group.last_ms + around) // width_ms - first + 1
    own, every = (_binned(t, first, width_ms, count) for t in (picture.own_ms, picture.all_ms))
    other = [max(b - a, 0) for a, b in zip(own, every)]
    most = max(1, *(a + b for a, b in zip(own, other)))
    width, unit = WIDTH / count, (TIME_HEIGHT - 10) / most
    bars = [
        _Bar(
            round(i * width, 2), round(0.86 * width, 2), round(a * unit, 2), round(b * unit, 2),
            f"{_moment((first + i) * width_ms)}: {a} + {b}",
        )
        for i, (a, b) in enumerate(zip(own, other))
    ]  # fmt: skip
    ends = _moment(first * width_ms), _moment((first + count) * width_ms)
    return Timeline(bars, *ends, most, bar_min)


def _binned(times_ms: Sequence[int], first: int, width_ms: int, count: int) -> list[int]:
    bins = np.asarray(times_ms, dtype=np.int64) // width_ms - first
    counted: list[int] = np.bincount(bins[(bins >= 0) & (bins < count)], minlength=count).tolist()
    return counted


def _sides(trace: GroupTrace) -> Iterator[_Side]:
    for post, only in zip(trace.posts, trace.differs):
        words = [(_plain(word), word in only) for word in post.text.split()]
        yield _Side(_plain(post.account), _moment(post.published_ms), words)


def _plain(text: str) -> str:
    """Text of a stranger: nothing steers the reading order, nothing can be clicked."""
    return defang(strip_controls(text))


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"
