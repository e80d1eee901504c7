r"""A negative share above the brand's own: a beta-binomial test, fit for small denominators.

Of :math:`n` mentions in a window :math:`k` are negative.  On a usual day :math:`k` is
beta-binomial with mean share :math:`p` and intra-class correlation :math:`\rho` (mentions of one
hour resemble each other), both learned from closed hours (Griffiths, *Biometrics* 29, 1973).  The
surprise is :math:`-\log_{10} P(K \ge k)`.  High is abnormal.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from scipy.special import betaln, gammaln, log_ndtr

from models.baseline import HISTORY_H, Calendar
from models.detector import WEAK_COUNT, HourClose
from models.records import Bool, Float64, Int64
from models.windows import Points, Verdict, WindowDetector

_HALF_LIFE_H = 336.0
_PRIOR_SHARE, _PRIOR_MENTIONS = 0.25, 30.0
_PRIOR_RHO, _PRIOR_RHO_WEIGHT = 0.05, 30.0
_COLD_RHO, _COLD_H = 0.25, 12.0
_LEAST_LIFT = 0.08  # a share this close to the usual one is never a finding
_GATE_SD = 2.5
_EXACT = 4000  # beyond so many mentions the normal tail is used


class NegativeShare(WindowDetector):
    """Beta-binomial test of the negative share over 5 minutes, an hour and a day.

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

    def _gate(
        self, brand: Int64, minute: Int64, total: Float64, negative: Float64, calm: Float64
    ) -> Bool:
        p, rho = self.usual_share()[brand], self.rho()[brand]
        least = np.maximum(total - calm, np.maximum(negative, 1.0))
        spread = np.sqrt(least * p * (1 - p) * (1 + (least - 1) * rho))
        lifted = negative >= (p + _LEAST_LIFT) * least
        far = negative - p * least >= _GATE_SD * spread
        far &= self._hours[brand] >= HISTORY_H[:, None]
        possible: Bool = np.any((negative >= WEAK_COUNT) & lifted & far, axis=0)
        return possible

    def _verdict(self, brand: int, points: Points) -> Verdict:
        p, rho = float(self.usual_share()[brand]), float(self.rho()[brand])
        k, n = points.negative, points.total
        spread = np.sqrt(n * p * (1 - p) * (1 + (np.maximum(n, 1) - 1) * rho))
        far = (k - p * n >= _GATE_SD * spread) & (k >= (p + _LEAST_LIFT) * n)
        worth = far & (k >= WEAK_COUNT)
        worth &= (self._hours[brand] >= HISTORY_H)[:, None]
        # a day's share stays high long after the event: it says something while the hour does too
        worth[2] &= far[1]
        scores = np.zeros_like(k)
        for h, i in np.argwhere(worth).tolist():
            scores[h, i] = share_surprise(int(k[h, i]), int(n[h, i]), p, rho)
        return Verdict(scores, k, p * n)

    def _details(self, brand: int, point: int, horizon: int, points: Points) -> dict[str, float]:
        p, rho = float(self.usual_share()[brand]), float(self.rho()[brand])
        n = int(points.total[horizon, point])
        line = float(self.lines[brand])
        least = max(WEAK_COUNT, ceil((p + _LEAST_LIFT) * n))
        while least < n and share_surprise(least, n, p, rho) < line:
            least += max(1, n // 200)
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
        k, n = close.negatives[mask], close.counts[mask]
        p = self.usual_share()[mask]
        decay = 0.5 ** (1.0 / _HALF_LIFE_H)
        mature = (n >= 5) & (self._share[1][mask] >= _PRIOR_MENTIONS)
        variance = p * (1 - p)
        num = np.where(mature, (k - n * p) ** 2 - n * variance, 0.0)
        den = np.where(mature, n * (n - 1) * variance, 0.0)
        # a loud hour says more, but not without bound
        scale = 1.0 / np.maximum(1.0, den)
        self._spread[:, mask] = self._spread[:, mask] * decay + np.stack([num, den]) * scale
        self._share[:, mask] = self._share[:, mask] * decay + np.stack([k, n])
        self._hours += mask

    def snapshot(self) -> dict[str, bytes]:
        """Episodes and baseline, as bytes by name."""
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
        spread = np.sqrt(total * share * (1 - share) * (1 + (total - 1) * rho))
        z = (negative - 0.5 - total * share) / spread
        return float(-log_ndtr(-z) / np.log(10))
    a = share * (1 - rho) / rho
    b = (1 - share) * (1 - rho) / rho
    j = np.arange(negative, total + 1, dtype=np.float64)
    log_choose = gammaln(total + 1) - gammaln(j + 1) - gammaln(total - j + 1)
    log_mass = log_choose + betaln(j + a, total - j + b) - betaln(a, b)
    top = log_mass.max()
    return float(-(top + np.log(np.exp(log_mass - top).sum())) / np.log(10))
