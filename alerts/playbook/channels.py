"""Channels: how each counts the length of a text, what it allows, and how a thread is cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from alerts.playbook.records import Channel

LIMITS: dict[Channel, int] = {
    "x": 280,  # weighted, see weighted_length
    "instagram": 2_200,  # caption or comment, characters
    "facebook": 8_000,  # comment, characters; a post allows more
    "web": 10_000,  # ours: longer is no longer a statement
    "email": 10_000,  # ours
    "direct": 1_000,  # UTF-8 bytes, Instagram's Send API, the tightest of the direct messages
    "internal": 4_000,  # characters, what Slack advises for one message
    # forms for reports, and mail to registrars: ours, since they do not publish theirs
    "x_form": 1_000,
    "instagram_form": 1_000,
    "facebook_form": 1_000,
    "abuse_desk": 4_000,
}
MAX_POSTS = 2
_MARK_LENGTH = len(" (1/2)")

X_URL_LENGTH = 23
# code points that weigh one; every other weighs two
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
# a bare domain becomes a link too; without the list of top-level domains every one is taken so
_URL = re.compile(
    r"https?://[!-~]*[A-Za-z0-9/=&#_-]"
    r"|(?<![A-Za-z0-9@#$._-])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?![A-Za-z0-9@])",
)
_PICTURE = "[\u00a9\u00ae\u203c\u2049\u2122-\u3299\U0001f000-\U0001faff]"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    "|[0-9#*]\ufe0f?\u20e3"  # a keycap
    f"|{_PICTURE}\ufe0f?[\U0001f3fb-\U0001f3ff]?"
    f"(?:\u200d{_PICTURE}\ufe0f?[\U0001f3fb-\U0001f3ff]?)*"
)


def weighted_length(text: str) -> int:
    """Length of a post as X counts it.

    Arabic and Latin letters weigh 1, most others (Chinese, Japanese, Korean) 2, an emoji sequence
    2, a link 23 whatever its length.  A bare domain longer than 23 counts in full, since only X
    knows whether it becomes a link.

    References
    ----------
    twitter-text 3, configuration v3 (``config/v3.json``), and "Counting characters",
    https://docs.x.com/fundamentals/counting-characters

    Examples
    --------
    >>> weighted_length("مرحبا"), weighted_length("危機"), weighted_length("👨‍👩‍👧")
    (5, 4, 2)
    >>> weighted_length("https://help.example.com/a/very/long/path/to/a/page")
    23
    """
    text = unicodedata.normalize("NFC", text)
    total = 0

    def count(match: re.Match[str]) -> str:
        nonlocal total
        found = match.group()
        total += X_URL_LENGTH if "://" in found else max(X_URL_LENGTH, len(found))
        return ""

    def count_emoji(match: re.Match[str]) -> str:
        nonlocal total
        total += 2
        return ""

    rest = _EMOJI.sub(count_emoji, _URL.sub(count, text))
    return total + sum(1 if any(a <= ord(c) <= b for a, b in _LIGHT) else 2 for c in rest)


def length(channel: Channel, text: str) -> int:
    """Length of ``text`` in the unit of the channel's limit."""
    if channel == "x":
        return weighted_length(text)
    if channel == "direct":
        return len(text.encode("utf-8"))
    return len(text)


class Post(NamedTuple):
    """One post of a thread."""

    text: str
    length: int


def thread(parts: Sequence[str]) -> list[Post]:
    """Lay sentences out as posts on X: one if they fit, else numbered posts, cut between parts.

    A part that is too long by itself stays whole, so that the caller sees a post that does not
    fit and not a sentence cut in two.

    Parameters
    ----------
    parts : sequence of str
        Whole sentences in order.

    Examples
    --------
    >>> [post.text for post in thread(["One.", "Two."])]
    ['One. Two.']
    >>> [post.text[-6:] for post in thread(["a" * 200, "b" * 200])]
    [' (1/2)', ' (2/2)']
    """
    whole = " ".join(parts)
    if weighted_length(whole) <= LIMITS["x"]:
        return [Post(whole, weighted_length(whole))]
    room = LIMITS["x"] - _MARK_LENGTH
    posts: list[str] = []
    for part in parts:
        if posts and weighted_length(f"{posts[-1]} {part}") <= room:
            posts[-1] += f" {part}"
        else:
            posts.append(part)
    if len(posts) == 1:
        return [Post(whole, weighted_length(whole))]
    marked = [f"{text} ({i}/{len(posts)})" for i, text in enumerate(posts, 1)]
    return [Post(text, weighted_length(text)) for text in marked]
