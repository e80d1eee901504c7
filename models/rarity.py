r"""How rarely a series rises so far: the tail of its own past peaks, as a return period.

Counts of mentions burst.  Whatever distribution one assumes, some series exceed its
one-in-a-million point every week and others never come near; so the same surprise means different
things for different brands.  What does mean the same is how often a series itself has risen so far.

The excess of a window over its expectation, in units of the scatter that the level explains,

.. math:: z = (x - m) / \sqrt{(1 + c) \, L w + k},

is followed as maxima of six-hour blocks, over sixty days.  Above their 75 % quantile :math:`u` they
are taken to fall off as a power law, whose exponent is Hill's estimator with a prior:
:math:`\xi = (\sum \min(\ln(m_i / u), \ln 10) + n_0 \xi_0) / (n + n_0)`, where the cut keeps one
crisis from making the next one look usual.  A block exceeds :math:`z` with the
probability :math:`0.25 \, (z / u)^{-1/\xi}`; the score is minus its decimal logarithm, so that the
return period is :math:`6 \, \mathrm{h} \cdot 10^{s}`.  High is abnormal.

Sources: Hill, *Annals of Statistics* 3 (1975); Siffer, Fouque, Termier & Largouet, "Anomaly
detection in streams with extreme value theory", KDD 2017, from which the idea is, with peaks over a
threshold in place of block maxima.
"""

from __future__ import annotations

import numpy as np

from models.baseline import CLUMP
from models.records import Float64, Int64

BLOCK_H = 6
RARE = float(np.log10(14 * 24 / BLOCK_H))  # decades of blocks: once in two weeks
_BLOCKS = 240  # sixty days
_FIRST_BLOCKS = 4  # a day: nothing is called rare before
_QUANTILE = 0.75
_PRIOR_SHAPE, _PRIOR_PEAKS = 0.25, 20.0
_LARGEST = np.log(10.0)  # what one peak may tell of the tail
_LEAST_PEAK = 1.0  # so far does even an even stream rise in six hours
_FLOOR = 10.0  # variance, in mentions squared, below which nothing is told apart


def excess(observed: Float64, expected: Float64, usual: Float64) -> Float64:
    """Excess of counts over their expectation, in units of the usual scatter.

    Parameters
    ----------
    observed, expected : float64[...]
        Counts in windows, and what the hour lets expect.
    usual : float64[...]
        What the level alone lets expect, whatever the hour: a burst at night is to weigh as one
        in the day.
    """
    result: Float64 = (observed - expected) / np.sqrt((1 + CLUMP) * usual + _FLOOR)
    return result


def return_hours(decades: float) -> float:
    """Return period of a score.

    Examples
    --------
    >>> return_hours(2.0) / 24
    25.0
    """
    return float(BLOCK_H * 10.0**decades)


class Rarity:
    """Tails of block maxima, for some horizons of many series.

    Parameters
    ----------
    horizons, series : int

    Examples
    --------
    >>> rarity = Rarity(1, 1)
    >>> for block in range(60):
    ...     _ = rarity.turn(block)
    ...     rarity.see(np.array([[1.0 + block % 5]]), np.array([0]))
    >>> rarity.score(np.array([[2.0, 30.0]]), np.array([0, 0])).round(1).tolist()
    [[0.0, 4.2]]
    """

    def __init__(self, horizons: int, series: int) -> None:
        self._peaks = np.full((_BLOCKS, horizons, series), np.nan)
        # peaks of the open block, whether anything was seen in it, and its number
        self._open = np.zeros((horizons + 2, series))
        self._open[-1] = -1.0
        self._tail: tuple[Float64, Float64] | None = None
        self._dirty: set[str] = set()

    def see(self, z: Float64, series: Int64) -> None:
        """Take in excesses, float64[horizons, n], of some series; they may repeat."""
        for peaks, values in zip(self._open, z):
            np.maximum.at(peaks, series, values)
        self._open[-2, series] = 1.0
        self._dirty.add("open")

    def turn(self, block: int) -> bool:
        """Tell the block of time (hours since the epoch // 6); True if that closes one."""
        before = int(self._open[-1].max())
        if block <= before:
            return False
        if before >= 0:
            row = before % _BLOCKS
            self._peaks[row] = np.where(self._open[-2] > 0, self._open[:-2], np.nan)
            self._dirty.add(f"peaks/{row}")
            self._tail = None
        self._open[:-1], self._open[-1] = 0.0, block
        self._dirty.add("open")
        return True

    def score(self, z: Float64, series: Int64) -> Float64:
        """Decades of rarity, float64[horizons, n]; nought up to what is usual."""
        threshold, shape = self._tails()
        u, xi = threshold[:, series], shape[:, series]
        over = z > u
        beyond = np.log(np.where(over, z, 1.0) / np.where(over, u, 1.0)) / xi
        return np.where(over, (beyond - np.log(1 - _QUANTILE)) / np.log(10), 0.0)

    def known(self, series: int) -> bool:
        """Whether a series has been seen long enough."""
        return bool(np.isfinite(self._tails()[0][0, series]))

    def _tails(self) -> tuple[Float64, Float64]:
        """Threshold and shape by horizon and series; an infinite threshold where none is known."""
        if self._tail is None:
            held = np.sort(self._peaks, axis=0)  # NaN comes last
            count = np.isfinite(held).sum(axis=0)
            at = (_QUANTILE * np.maximum(count - 1, 0)).astype(np.int64)
            u = np.take_along_axis(held, at[None], axis=0)[0]
            known = count >= _FIRST_BLOCKS
            u = np.where(known, np.maximum(np.nan_to_num(u), _LEAST_PEAK), np.inf)
            above = held > u
            over = np.where(above, held, 1.0) / np.where(above, u, 1.0)
            logs = np.minimum(np.log(over), _LARGEST).sum(axis=0)
            peaks = above.sum(axis=0)
            xi = (logs + _PRIOR_PEAKS * _PRIOR_SHAPE) / (peaks + _PRIOR_PEAKS)
            self._tail = u, xi
        return self._tail

    def _piece(self, name: str) -> Float64:
        """The array, or the row of one, that a name stands for."""
        array, _, row = name.partition("/")
        piece: Float64 = self._peaks[int(row)] if array == "peaks" else self._open
        return piece

    def snapshot(self) -> dict[str, bytes]:
        """All state, as bytes by name."""
        names = ("open", *(f"peaks/{row}" for row in range(_BLOCKS)))
        return {name: self._piece(name).tobytes() for name in names}

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot changed since the last call."""
        names, self._dirty = sorted(self._dirty), set()
        return {name: self._piece(name).tobytes() for name in names}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        for name, blob in pieces.items():
            held = self._piece(name)
            held[...] = np.frombuffer(blob).reshape(held.shape)
        self._tail = None
