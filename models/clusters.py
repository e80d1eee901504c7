"""Online clusters of short texts as sparse vectors of informative words.

One pass: a text joins the nearest centroid or opens a cluster of its own; centroids forget by
mention and clusters that have become alike are merged (leader clustering as in J. Allan, R. Papka,
V. Lavrenko, *On-line New Event Detection and Tracking*, SIGIR 1998; merging and decay as in
C. Aggarwal, P. Yu, *On Clustering Massive Text and Categorical Data Streams*, KAIS 24, 2010).
Only clusters that share a word with a text are compared with it (an inverted index).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

NEAR = 0.35  # cosine from which a text belongs to a cluster
ALIKE = 0.6  # cosine from which two clusters are one
LEAST_SHARED = 2  # words, or one thing that tells as much
_KEEP_WORDS, _MOST_WORDS = 24, 48  # of a centroid
_MOST_HOLDERS = 16  # clusters; a word of more finds none of them
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
    __slots__ = ("gain", "size", "square", "words")

    def __init__(self) -> None:
        self.words: dict[int, float] = {}
        self.square = 0.0
        self.gain = 1.0  # weight of the next text: older ones lose against it
        self.size = 0


class Clusters:
    """Clusters by number; numbers are given in order and not used again.

    Examples
    --------
    >>> clusters = Clusters()
    >>> first = clusters.open(Vector([1, 2, 3], [4.0, 4.0, 4.0]))
    >>> clusters.nearest(Vector([2, 3, 9], [4.0, 4.0, 4.0])) == (first, 2 / 3)
    True
    >>> clusters.nearest(Vector([3, 8, 9], [4.0, 4.0, 4.0]))
    (None, 0.0)
    """

    def __init__(self) -> None:
        self._clusters: dict[int, _Cluster] = {}
        self._index: dict[int, dict[int, float]] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._clusters)

    def words_held(self) -> int:
        """How many words of centroids are remembered."""
        return sum(len(cluster.words) for cluster in self._clusters.values())

    def nearest(self, vector: Vector) -> tuple[int | None, float]:
        """The cluster that a text belongs to, and how near it is; none if none is near."""
        near = self._scores(vector.words, vector.weights)
        best, most, square = None, 0.0, vector.square
        for number, product in near.items():
            likeness = product * product / (square * self._clusters[number].square)
            if likeness > most:
                best, most = number, likeness
        if best is None or most < NEAR * NEAR or not self._share_enough(best, vector):
            return None, 0.0
        return best, sqrt(most)

    def likeness(self, number: int, vector: Vector) -> float:
        """The cosine between a text and a cluster."""
        cluster = self._clusters[number]
        known = cluster.words
        product = sum(w * known.get(word, 0.0) for word, w in zip(vector.words, vector.weights))
        length = sqrt(vector.square * cluster.square)
        return product / length if length else 0.0

    def open(self, vector: Vector) -> int:
        """Open a cluster with a text; its number."""
        number = self._next
        self._next += 1
        self._clusters[number] = _Cluster()
        self.add(number, vector)
        return number

    def add(self, number: int, vector: Vector) -> None:
        """Take a text into a cluster."""
        cluster, index = self._clusters[number], self._index
        known, gain, square = cluster.words, cluster.gain, cluster.square
        for word, weight in zip(vector.words, vector.weights):
            before = known.get(word, 0.0)
            after = before + gain * weight
            square += after * after - before * before
            known[word] = after
            held = index.get(word)
            if held is None:
                index[word] = {number: after}
            else:
                held[number] = after
        cluster.square = square
        cluster.gain = gain / _REMEMBER
        cluster.size += 1
        if len(known) > _MOST_WORDS or cluster.gain > _HEAVIEST:
            self._tidy(number)

    def alike(self, number: int) -> int | None:
        """Another cluster that has become like this one."""
        cluster = self._clusters[number]
        near = self._scores(list(cluster.words), list(cluster.words.values()))
        best, most = None, ALIKE * ALIKE * cluster.square
        for other, product in near.items():
            if other != number and product * product > most * self._clusters[other].square:
                best, most = other, product * product / self._clusters[other].square
        return best

    def merge(self, number: int, gone: int) -> None:
        """Let a cluster take in another one, by their sizes."""
        into, other = self._clusters[number], self._clusters[gone]
        ratio = (other.size / into.size) * sqrt(into.square / other.square)
        words = list(other.words.items())
        self.remove(gone)
        for word, weight in words:
            into.words[word] = into.words.get(word, 0.0) + ratio * weight
        into.size += other.size
        self._tidy(number)

    def remove(self, number: int) -> None:
        """Forget a cluster."""
        for word in self._clusters.pop(number).words:
            self._drop(word, number)

    def size(self, number: int) -> int:
        """How many texts a cluster took in."""
        return self._clusters[number].size

    def holders(self, word: int) -> int:
        """How many clusters have a word."""
        return len(self._index.get(word, ()))

    def _scores(self, words: Sequence[int], weights: Sequence[float]) -> dict[int, float]:
        found: dict[int, float] = {}
        index = self._index
        for word, weight in zip(words, weights):
            held = index.get(word)
            if held is not None and len(held) <= _MOST_HOLDERS:
                for number, other in held.items():
                    if number in found:
                        found[number] += weight * other
                    else:
                        found[number] = weight * other
        return found

    def _share_enough(self, number: int, vector: Vector) -> bool:
        known = self._clusters[number].words
        shared = [word for word in vector.words if word in known]
        return len(shared) >= LEAST_SHARED or any(word >= _KEY for word in shared)

    def _tidy(self, number: int) -> None:
        """Keep the heaviest words, and numbers that are neither huge nor tiny."""
        cluster = self._clusters[number]
        kept = sorted(cluster.words.items(), key=lambda item: (-item[1], item[0]))
        for word, _ in kept[_KEEP_WORDS:]:
            self._drop(word, number)
        scale = 1.0 / cluster.gain
        cluster.words = {word: weight * scale for word, weight in kept[:_KEEP_WORDS]}
        cluster.square = sum(w * w for w in cluster.words.values())
        cluster.gain = 1.0
        for word, weight in cluster.words.items():
            self._index.setdefault(word, {})[number] = weight

    def _drop(self, word: int, number: int) -> None:
        held = self._index.get(word)
        if held is not None:
            held.pop(number, None)
            if not held:
                del self._index[word]


def key_word(hashed: int) -> int:
    """A link, hashtag or number as a word of a vector."""
    return _KEY | hashed
