"""How likely chance is to bring so much together.

SciPy is loaded when something has come together: that takes longer than reading a whole file in
which nothing has.
"""

from __future__ import annotations

from math import log

from models.records import Float64, Int64


def rarer(many: int, mean: float, line: float) -> bool:
    """Whether so many and more come no more often than the line where a mean is known (Poisson).

    The line is below a half.  Most are so many that a bound tells (H. Chernoff, *Annals of
    Mathematical Statistics* 23, 1952).

    Examples
    --------
    >>> rarer(9, 0.2, 1e-6), rarer(3, 0.2, 1e-6), rarer(1, 2.0, 0.1)
    (True, False, False)
    """
    if many <= mean:  # which half and more of all windows reach
        return False
    if not mean or many - mean - many * log(many / mean) <= log(line):
        return True
    from scipy.special import pdtrc

    return bool(pdtrc(many - 1, mean) <= line)


def within(shares: Float64, sizes: Int64, needed: Int64) -> Float64:
    """How likely so many and more of some, spread evenly, fall into a share of the whole."""
    from scipy.special import betainc

    found: Float64 = betainc(needed, sizes - needed + 1, shares)
    return found
