"""What a word tells in one brand's talk."""

from __future__ import annotations

import numpy as np

from models.records import Float32, UInt32

_BUCKETS = 4096
_UNSEEN = 256.0  # texts without any of the words, that a brand starts with
_FORGET = 0.9999  # a text


class Vocabulary:
    """How many of a brand's texts use a word, in a fixed number of buckets.

    Near-duplicates count once: what is copied must not pass for what everybody says.
    """

    def __init__(self) -> None:
        self._known = np.zeros(_BUCKETS, dtype=np.float32)
        self._texts = _UNSEEN
        self._new: list[UInt32] = []

    def learn(self, words: UInt32) -> None:
        """Take note of the words of a text."""
        self._new.append(words)

    def turn(self) -> None:
        """What was noted becomes known."""
        if not self._new:
            return
        faded = _FORGET ** len(self._new)
        self._known *= np.float32(faded)
        self._texts = max(_UNSEEN, self._texts * faded + len(self._new))
        self._known += np.bincount(np.concatenate(self._new) % _BUCKETS, minlength=_BUCKETS)
        self._new = []

    def bits(self, words: UInt32, usual: Float32) -> Float32:
        """What each word tells: no more than usual, less if this brand's public often uses it."""
        seen = self._known[words % _BUCKETS]
        known: Float32 = np.minimum(usual, np.log2(np.float32(self._texts) / (seen + 1)))
        return np.maximum(known, 0)
