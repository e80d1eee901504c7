r"""A negative share above the brand's own: a beta-binomial test, fit for small denominators.

Of :math:`n` mentions in a window :math:`k` are negative.  On a usual day :math:`k` is
beta-binomial with mean share :math:`p` and intra-class correlation :math:`\rho` (mentions of one
hour resemble each other), both learned from closed hours (Griffiths, *Biometrics* 29, 1973).  The
surprise is :math:`-\log_{10} P(K \ge k)`.  High is abnormal.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from math import ceil, log10

import numpy as np
from scipy.special import betainc, betaln, gammaln

from models.baseline import CLUMP, HISTORY_H
from models.calendar import Calendar
from models.detector import MINUTE_MS, WEAK_COUNT, Cells, HourClose, Segment
from models.pieces import under, within
from models.quarantine import Quarantine
from models.records import Bool, Float64, Int64
from models.windows import LONG, Points, Verdict, WindowDetector

_HELD = "held/"
_HALF_LIFE_H = 336.0
_PRIOR_SHARE, _PRIOR_MENTIONS = 0.25, 30.0
_PRIOR_RHO, _PRIOR_RHO_WEIGHT = 0.05, 30.0
_COLD_RHO, _COLD_H = 0.25, 12.0
_LEAST_LIFT = 0.08  # a share this close to the usual one is never a finding
_FAR_SD = 2.5
_EXACT = 4000  # beyond so many mentions the share is as good as beta-distributed


class NegativeShare(WindowDetector):
    """Beta-binomial test of the negative share over 5 minutes, 1, 3 and 24 hours.

    Parameters
    ----------
    calendar : Calendar
        Not used yet: the share has no season here.
    lines : float64[brands]
        Surprise from which a finding fires.

    Examples
    --------
    >>> NegativeShare(Calendar(["UTC"], [(5, 6)]), np.array([6.5])).usual_share().tolist()
    [0.25]
    """

    def __init__(self, calendar: Calendar, lines: Float64) -> None:
        super().__init__("negative_share", lines, on_arrival=False)
        n = len(lines)
        self._share = np.zeros((2, n))
        self._spread = np.zeros((2, n))
        self._held = Quarantine(2, n)
        self._hours = np.zeros(n)

    def usual_share(self) -> Float64:
        """Usual negative share of each brand."""
        negative, total = self._share
        share: Float64 = (negative + _PRIOR_SHARE * _PRIOR_MENTIONS) / (total + _PRIOR_MENTIONS)
        return np.clip(share, 0.01, 0.95)

    def rho(self) -> Float64:
        """Intra-class correlation of each brand, with what is uncertain about a young one."""
        num, den = self._spread
        learned = (num + _PRIOR_RHO * _PRIOR_RHO_WEIGHT) / (den + _PRIOR_RHO_WEIGHT)
        young = _COLD_RHO * (_COLD_H / (_COLD_H + self._hours)) ** 2
        return np.clip(learned, 0.005, 0.5) + young

    def _bound(self, cells: Cells) -> Float64:
        # fewer mentions beside as many negative ones would have been the greatest surprise
        calm = _unsettled(cells.segment, cells.brand, cells.minute)
        least = np.maximum(cells.total - calm, cells.negative)
        bound = np.zeros_like(least)
        lifted = cells.negative >= (self.usual_share()[cells.brand] + _LEAST_LIFT) * least
        at = np.flatnonzero((lifted & (cells.negative >= WEAK_COUNT)).any(axis=0))
        bound[:, at], _ = self._surprise(cells.negative[:, at], least[:, at], cells.brand[at])
        return bound

    def _verdict(self, brand: int, points: Points) -> Verdict:
        series = np.full(len(points.minute), brand, dtype=np.int64)
        scores, far = self._surprise(points.negative, points.total, series)
        # long shares stay high after the event: they say something while the hour does too
        scores[LONG:, ~far[1]] = 0.0
        expected = float(self.usual_share()[brand]) * points.total
        return Verdict(scores, points.negative, expected)

    def _surprise(self, k: Float64, n: Float64, series: Int64) -> tuple[Float64, Bool]:
        """Surprise by horizon, nought where it cannot matter; and what lies far off."""
        p = self.usual_share()[series]
        rho = _clumped(self.rho()[series], n)
        spread = np.sqrt(n * p * (1 - p) * (1 + (np.maximum(n, 1) - 1) * rho))
        far = (k - p * n >= _FAR_SD * spread) & (k >= (p + _LEAST_LIFT) * n)
        enough = far & (k >= WEAK_COUNT) & (self._hours[series] >= HISTORY_H[:, None])
        scores = np.zeros_like(k)
        for h, i in np.argwhere(enough).tolist():
            scores[h, i] = share_surprise(int(k[h, i]), int(n[h, i]), float(p[i]), float(rho[h, i]))
        return scores, far

    def _details(self, brand: int, point: int, horizon: int, points: Points) -> dict[str, float]:
        p = float(self.usual_share()[brand])
        n = int(points.total[horizon, point])
        rho = float(_clumped(self.rho()[brand], points.total[horizon, point]))
        line = float(self.lines[brand])
        least = max(WEAK_COUNT, ceil((p + _LEAST_LIFT) * n))
        least = bisect_left(range(n), line, least, key=lambda k: share_surprise(k, n, p, rho))
        spread = 1.96 * float(np.sqrt(n * p * (1 - p) * (1 + (n - 1) * rho)))
        return {
            "lower": max(0, int(p * n - spread)),
            "upper": min(n, int(p * n + spread)),
            "threshold": min(least, n),
            "usual_negative_share": p,
        }

    def history_h(self, brand: int) -> int:
        """Hours learned so far."""
        return int(self._hours[brand])

    def learn(self, close: HourClose, mask: Bool) -> None:
        """Learn a closed hour, for the brands in ``mask``."""
        self._learn_spread(close, mask)
        decay = 0.5 ** (1.0 / _HALF_LIFE_H)
        learned = np.stack([close.negatives, close.counts])[:, mask]
        self._share[:, mask] = self._share[:, mask] * decay + learned
        self._hours += mask

    def _learn_spread(self, close: HourClose, mask: Bool) -> None:
        k, n = close.negatives, close.counts
        p = self.usual_share()
        mature = (n >= 5) & (self._share[1] >= _PRIOR_MENTIONS)
        variance = p * (1 - p)
        num = np.where(mature, (k - n * p) ** 2 - (1 + CLUMP) * n * variance, 0.0)
        den = np.where(mature, n * (n - 1) * variance, 0.0)
        # a loud hour says more, but not without bound
        said = np.stack([num, den]) / np.maximum(1.0, den)
        released = self._held.exchange(close.hour, said, mask)
        decay = np.where(mask, 0.5 ** (1.0 / _HALF_LIFE_H), 1.0)
        self._spread = self._spread * decay + released

    def snapshot(self) -> dict[str, bytes]:
        """Episodes and baseline, as bytes by name."""
        return self._small() | under(_HELD, self._held.snapshot())

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot may have changed since the last call."""
        return self._small() | under(_HELD, self._held.changes())

    def _small(self) -> dict[str, bytes]:
        return super().snapshot() | {
            "share": self._share.tobytes(),
            "spread": self._spread.tobytes(),
            "hours": self._hours.tobytes(),
        }

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        super().restore(pieces)
        for name in ("share", "spread", "hours"):
            if name in pieces:
                held = getattr(self, f"_{name}")
                stored = np.frombuffer(pieces[name]).reshape(held.shape).copy()
                setattr(self, f"_{name}", stored)
        self._held.restore(within(_HELD, pieces))


def _clumped(rho: Float64, n: Float64) -> Float64:
    """Correlation among ``n`` mentions that come in clumps, such as a post and its reposts.

    The clumps add a constant to the design effect ``1 + (n - 1) * rho``, whatever ``n`` is.
    """
    return np.minimum(rho + CLUMP / np.maximum(n - 1, 1), 0.9)


@lru_cache(maxsize=1 << 15)  # an episode asks again and again about counts that stand still
def share_surprise(negative: int, total: int, share: float, rho: float) -> float:
    """Surprise of a share: minus log10 of the beta-binomial tail.

    Examples
    --------
    >>> round(share_surprise(18, 20, 0.2, 0.05), 1)
    5.4
    """
    if negative <= 0 or total <= 0:
        return 0.0
    if total > _EXACT:
        rho += (1 - rho) / total  # what the binomial adds to the variance of the share
    a = share * (1 - rho) / rho
    b = (1 - share) * (1 - rho) / rho
    if total > _EXACT:
        tail = float(betainc(b, a, 1 - (negative - 0.5) / total))
        return -log10(max(tail, 1e-300))
    j = np.arange(negative, total + 1, dtype=np.float64)
    log_choose = gammaln(total + 1) - gammaln(j + 1) - gammaln(total - j + 1)
    log_mass = log_choose + betaln(j + a, total - j + b) - betaln(a, b)
    top = log_mass.max()
    return float(-(top + np.log(np.exp(log_mass - top).sum())) / np.log(10))


def _unsettled(segment: Segment, brand: Int64, minute: Int64) -> Int64:
    """Mentions up to a minute, not negative, that the first tick to look at it may not have known.

    What had arrived before the minute began was known; late mentions and those of the minute
    itself may not have been.
    """
    calm = segment.negative == 0
    of, published = segment.brand[calm], segment.minute[calm]
    arrived = segment.watermark_ms[calm] // MINUTE_MS
    low, high = segment.minute.min(), segment.watermark_ms.max() // MINUTE_MS
    span = int(high - low) + 2
    up_to_minute = np.searchsorted(
        np.sort(of * span + published - low), brand * span + minute - low, "right"
    )
    before = np.searchsorted(np.sort(of * span + arrived - low), brand * span + minute - low)
    unsettled: Int64 = up_to_minute - before
    return unsettled
