"""Mentions as columns: everything drawn at random is a number here, and text only when rendered."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[Any]  # of dtype ROW
IntArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float64]

LABELS = {
    "organic": "o",
    "crisis": "c",
    "coordinated": "k",
    "impersonator": "i",
    "phishing": "p",
    "rumour": "r",
}
LABEL_CODE = {label: code for code, label in enumerate(LABELS)}
LANGS = ("ar", "en")
SENTIMENTS = ("negative", "neutral", "positive")
MOODS = {
    "negative": "n",
    "neutral": "u",
    "positive": "p",
}  # second letter of an id, after the label's
PLATFORMS = ("x", "instagram", "facebook", "reddit", "app_store", "google_play", "news")
KINDS = ("post", "reply", "repost", "quote", "review")
POST, REPLY, REPOST, QUOTE, REVIEW = range(5)
X, FACEBOOK = 0, 2
NEWS = PLATFORMS.index("news")

NO_PARENT, OFFICIAL = -1, -2  # values of "parent"; OFFICIAL: a post of the brand itself
PREFIX_NONE, PREFIX_BRAND, PREFIX_PARENT, PREFIX_REPOST = range(4)  # "", "@brand ", "@who ", "RT"
STYLES = 8
ATTACK_STYLES = (0, 4, 5, 6, 7)

CLASSES = tuple(label + mood for label in LABELS.values() for mood in MOODS.values())

ROW = np.dtype(
    [
        ("t", "i8"),  # published, seconds since the epoch
        ("arrive", "i8"),  # when it reaches the stream; later than t only after a feed outage
        ("seq", "i4"),  # number of the mention within its brand
        ("label", "u1"),
        ("platform", "u1"),
        ("kind", "u1"),
        ("lang", "u1"),
        ("sentiment", "u1"),
        ("template", "i4"),  # index into the lexicon's formats: language, pool, style and line
        ("slot_a", "u1"),
        ("slot_b", "u1"),
        ("register", "u1"),  # which names are used: social or formal
        ("name", "u1"),
        ("prefix", "u1"),
        ("opener", "u2"),
        ("closer", "u2"),
        ("emoji", "u2"),
        ("tag", "u2"),
        ("link", "u2"),
        ("author", "i4"),  # below 0: an account that the scenario brings
        ("parent", "i4"),
        ("parent_class", "u1"),
        ("parent_author", "i4"),
        ("rating", "u1"),
        ("country", "u1"),
        ("likes", "i4"),
        ("views", "i4"),
    ]
)
SAYS = ("lang", "sentiment", "template", "slot_a", "slot_b", "register", "name", "opener",
        "closer", "emoji", "tag", "link")  # fmt: skip


def empty() -> Rows:
    """Return no rows."""
    return np.zeros(0, ROW)


def join(parts: list[Rows]) -> Rows:
    """Return all parts as one array."""
    return np.concatenate(parts) if parts else empty()


def in_order(rows: Rows) -> Rows:
    """Return the rows as the stream delivers them: by arrival, publication and number."""
    return rows[np.lexsort((rows["seq"], rows["t"], rows["arrive"]))]


def repeat_text(rows: Rows, parents: Rows) -> None:
    """Make ``rows`` say what ``parents`` say, as reposts of them on the same platform."""
    for column in (*SAYS, "platform"):
        rows[column] = parents[column]
    rows["kind"] = REPOST
    rows["prefix"] = PREFIX_REPOST
    rows["rating"] = 0
    point_to(rows, parents)


def classes(rows: Rows) -> IntArray:
    """Return label and sentiment as one number; an id begins with it."""
    return np.asarray(rows["label"].astype(np.int64) * len(SENTIMENTS) + rows["sentiment"])


def point_to(rows: Rows, parents: Rows) -> None:
    """Make each row a child of the parent beside it."""
    rows["parent"] = parents["seq"]
    rows["parent_class"] = classes(parents)
    rows["parent_author"] = parents["author"]
