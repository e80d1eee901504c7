"""How likely chance is to bring so much together.

SciPy is loaded when something has come together: that takes longer than reading a whole file in
which nothing has.
"""

from __future__ import annotations

from models.records import Float64, Int64


def poisson(most: int, mean: float) -> float:
    """How likely more than so many come where a mean is known."""
    from scipy.special import pdtrc

    return float(pdtrc(most, mean))


def within(shares: Float64, sizes: Int64, needed: Int64) -> Float64:
    """How likely so many and more of some, spread evenly, fall into a share of the whole."""
    from scipy.special import betainc

    found: Float64 = betainc(needed, sizes - needed + 1, shares)
    return found
