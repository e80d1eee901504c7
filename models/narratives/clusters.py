"""Online clusters of short texts as sparse vectors of informative words.

One pass: a text joins the nearest centroid or opens a cluster of its own; centroids forget by
mention and clusters that have become alike are merged (leader clustering as in J. Allan, R. Papka,
V. Lavrenko, *On-line New Event Detection and Tracking*, SIGIR 1998; merging and decay as in
C. Aggarwal, P. Yu, *On Clustering Massive Text and Categorical Data Streams*, KAIS 24, 2010).
Centroids are the columns of one matrix, so that a text is compared with all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

NEAR = 0.25  # cosine from which a text belongs to a cluster
ALIKE = 0.6  # cosine from which two clusters are one
LEAST_SHARED = 2  # words, or one thing that tells as much
_KEEP_WORDS, _MOST_WORDS = 24, 48  # of a centroid
_FIRST_ROWS = 64
_REMEMBER = 0.98  # of a centroid, per text that it takes in
_HEAVIEST = 1e6
_KEY = 1 << 32  # links, hashtags and numbers lie beyond the words


class Vector:
    """A text: its informative words, what each tells, and the square of its length."""

    __slots__ = ("square", "weights", "words")

    def __init__(self, words: Sequence[int], weights: Sequence[float]) -> None:
        self.words = words
        self.weights = weights
        self.square = sum([w * w for w in weights])

    def extend(self, more: Mapping[int, float]) -> None:
        """Add words with what they tell."""
        self.words = [*self.words, *more]
        self.weights = [*self.weights, *more.values()]
        self.square += sum([w * w for w in more.values()])


class _Cluster:
    __slots__ = ("gain", "rows", "size", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.rows: set[int] = set()
        self.gain = 1.0  # weight of the next text: older ones lose against it
        self.size = 0


class Clusters:
    """Clusters by number; numbers are given in order and not used again.

    Parameters
    ----------
    most : int
        How many there may be.

    Examples
    --------
    >>> clusters = Clusters(8)
    >>> first = clusters.open(Vector([1, 2, 3], [4.0, 4.0, 4.0]))
    >>> number, near = clusters.nearest(Vector([2, 3, 9], [4.0, 4.0, 4.0]))
    >>> number == first, round(near, 3)
    (True, 0.667)
    >>> clusters.nearest(Vector([3, 8, 9], [4.0, 4.0, 4.0]))
    (None, 0.0)
    """

    def __init__(self, most: int) -> None:
        self._clusters: dict[int, _Cluster] = {}
        self._next = 0
        self._slots = list(range(most - 1, -1, -1))  # that are free
        self._number = np.zeros(most, dtype=np.int64)  # by slot
        self._square = np.ones(most, dtype=np.float32)  # of each centroid's length
        self._row: dict[int, int] = {}  # by word
        self._word: list[int] = []  # by row
        self._holders: list[int] = []  # by row, how many clusters have the word
        self._free: list[int] = []  # rows
        self._weights = np.zeros((_FIRST_ROWS, most), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._clusters)

    def words_held(self) -> int:
        """For how many words there is room."""
        return len(self._weights)

    def nearest(self, vector: Vector) -> tuple[int | None, float]:
        """The cluster that a text belongs to, and how near it is; none if none is near."""
        rows, weights = self._known(vector)
        if not rows:
            return None, 0.0
        products = np.array(weights, dtype=np.float32) @ self._weights.take(rows, 0)
        likeness = products * products
        likeness /= self._square
        slot = int(likeness.argmax())
        near = float(likeness[slot]) / vector.square
        if near < NEAR * NEAR:
            return None, 0.0
        number = int(self._number[slot])
        own = self._clusters[number].rows
        shared = [row for row in rows if row in own]
        if len(shared) < LEAST_SHARED and not any(self._word[row] >= _KEY for row in shared):
            return None, 0.0
        return number, sqrt(near)

    def likeness(self, number: int, vector: Vector) -> float:
        """The cosine between a text and a cluster."""
        slot = self._clusters[number].slot
        rows, weights = self._known(vector)
        if not rows:
            return 0.0
        product = float(np.array(weights, dtype=np.float32) @ self._weights[rows, slot])
        return product / sqrt(vector.square * float(self._square[slot]))

    def open(self, vector: Vector) -> int:
        """Open a cluster with a text that has words; its number."""
        number, slot = self._next, self._slots.pop()
        self._next += 1
        self._clusters[number] = _Cluster(slot)
        self._number[slot] = number
        self._square[slot] = 0.0
        self.add(number, vector)
        return number

    def add(self, number: int, vector: Vector) -> None:
        """Take a text into a cluster."""
        cluster = self._clusters[number]
        rows = np.array([self._hold(cluster, word) for word in vector.words], dtype=np.intp)
        added = np.array(vector.weights, dtype=np.float32) * np.float32(cluster.gain)
        centroid = self._weights[:, cluster.slot]
        before = centroid.take(rows)
        centroid[rows] = before + added
        self._square[cluster.slot] += float((2 * before + added) @ added)
        cluster.gain /= _REMEMBER
        cluster.size += 1
        if len(cluster.rows) > _MOST_WORDS or cluster.gain > _HEAVIEST:
            self._tidy(cluster)

    def alike(self, number: int) -> int | None:
        """Another cluster that has become like this one."""
        slot, rows = self._clusters[number].slot, sorted(self._clusters[number].rows)
        products = self._weights[rows, slot] @ self._weights[rows]
        likeness = products * products / self._square
        likeness[slot] = 0.0
        other = int(likeness.argmax())
        if likeness[other] < ALIKE * ALIKE * self._square[slot]:
            return None
        return int(self._number[other])

    def merge(self, number: int, gone: int) -> None:
        """Let a cluster take in another one, by their sizes."""
        into, other = self._clusters[number], self._clusters[gone]
        square, theirs = self._square[into.slot], self._square[other.slot]
        ratio = (other.size / into.size) * sqrt(float(square / theirs))
        words = [(self._word[r], float(self._weights[r, other.slot])) for r in sorted(other.rows)]
        self.remove(gone)
        for word, weight in words:
            self._weights[self._hold(into, word), into.slot] += np.float32(ratio * weight)
        into.size += other.size
        self._tidy(into)

    def remove(self, number: int) -> None:
        """Forget a cluster."""
        cluster = self._clusters.pop(number)
        self._drop(cluster, list(cluster.rows))
        self._square[cluster.slot] = 1.0
        self._slots.append(cluster.slot)

    def size(self, number: int) -> int:
        """How many texts a cluster took in."""
        return self._clusters[number].size

    def holders(self, word: int) -> int:
        """How many clusters have a word."""
        row = self._row.get(word)
        return 0 if row is None else self._holders[row]

    def _known(self, vector: Vector) -> tuple[list[int], list[float]]:
        """Rows of a text's words, with their weights."""
        get, rows, weights = self._row.get, [], []
        for word, weight in zip(vector.words, vector.weights):
            row = get(word)
            if row is not None:
                rows.append(row)
                weights.append(weight)
        return rows, weights

    def _hold(self, cluster: _Cluster, word: int) -> int:
        """The row of a word that a cluster has from now on."""
        row = self._row.get(word)
        if row is None:
            if self._free:
                row = self._free.pop()
                self._word[row] = word
            else:
                row = len(self._word)
                self._word.append(word)
                self._holders.append(0)
                if row >= len(self._weights):
                    more = np.zeros_like(self._weights)
                    self._weights = np.concatenate([self._weights, more])
            self._row[word] = row
        if row not in cluster.rows:
            cluster.rows.add(row)
            self._holders[row] += 1
        return row

    def _tidy(self, cluster: _Cluster) -> None:
        """Keep the heaviest words, and numbers that are neither huge nor tiny."""
        weights = {row: float(self._weights[row, cluster.slot]) for row in cluster.rows}
        order = sorted(weights, key=lambda row: (-weights[row], self._word[row]))
        self._drop(cluster, order[_KEEP_WORDS:])
        kept = order[:_KEEP_WORDS]
        self._weights[kept, cluster.slot] *= np.float32(1 / cluster.gain)
        own = self._weights[kept, cluster.slot]
        self._square[cluster.slot] = own @ own
        cluster.gain = 1.0

    def _drop(self, cluster: _Cluster, rows: list[int]) -> None:
        self._weights[rows, cluster.slot] = 0.0
        cluster.rows.difference_update(rows)
        for row in rows:
            self._holders[row] -= 1
            if not self._holders[row]:
                del self._row[self._word[row]]
                self._free.append(row)


def key_word(hashed: int) -> int:
    """A link, hashtag or number as a word of a vector."""
    return _KEY | hashed
