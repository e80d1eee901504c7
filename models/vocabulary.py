"""What a word tells in one brand's talk."""

from __future__ import annotations

import numpy as np

from models.records import Float32, UInt32

_BUCKETS = 4096
_LAST = np.uint32(_BUCKETS - 1)
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
        self._more = 0

    def learn(self, words: UInt32, texts: int = 1) -> None:
        """Take note of the words of a text, or of several texts."""
        self._more += texts
        if len(words):
            self._new.append(words)

    def turn(self) -> None:
        """What was noted becomes known."""
        if not self._more:
            return
        faded = _FORGET**self._more
        self._known *= np.float32(faded)
        self._texts = max(_UNSEEN, self._texts * faded + self._more)
        if self._new:
            seen = np.bincount(np.concatenate(self._new) & _LAST, minlength=_BUCKETS)
            self._known += seen.astype(np.float32)
        self._new, self._more = [], 0

    def bits(self, words: UInt32, usual: Float32) -> Float32:
        """What each word tells: no more than usual, less if this brand's public often uses it."""
        seen = self._known[words & _LAST]
        seen += 1
        known: Float32 = np.log2(np.float32(self._texts) / seen)
        np.minimum(usual, known, out=known)
        return np.maximum(known, 0, out=known)
