"""Fictional brands: a few with a face, and as many synthetic ones as a benchmark wants."""

from __future__ import annotations

from functools import cache
from itertools import product

from streams.simulate.data import load
from streams.simulate.spec import INDUSTRIES, SimBrand, SimulationError, generator


@cache
def ready_brands() -> tuple[SimBrand, ...]:
    """Return the ready brands: a bank, an airline, a telecom, a delivery app and a shop.

    Examples
    --------
    >>> [brand.id for brand in ready_brands()[:2]]
    ['rimal-bank', 'saqr-air']
    """
    return tuple(
        SimBrand(
            id=entry["id"],
            name_en=entry["en"],
            name_ar=entry["ar"],
            industry=entry["industry"],
            handles=tuple(entry["handles"]),
            domain=entry["domain"],
            keywords_en=tuple(entry["keywords"]["en"]),
            keywords_ar=tuple(entry["keywords"]["ar"]),
        )
        for entry in load("brands")["ready"]
    )


def synthetic_brands(n: int, seed: int = 0) -> list[SimBrand]:
    """Invent ``n`` brands with unique names in both scripts.

    Parameters
    ----------
    n : int
        From 0 to 20,480.
    seed : int
        Chooses which names are taken; the first brands of a longer list are the same.

    Raises
    ------
    SimulationError
        If there are not as many names.

    Examples
    --------
    >>> [brand.name_en for brand in synthetic_brands(2, seed=1)] == [
    ...     brand.name_en for brand in synthetic_brands(3, seed=1)][:2]
    True
    """
    data = load("brands")["synthetic"]
    words = list(product(*[data["syllables"].items()] * 3, data["closings"].items()))
    if not 0 <= n <= len(words):
        raise SimulationError(f"n={n}: expected 0 to {len(words)} synthetic brands")
    order = generator(seed, "synthetic brands").permutation(len(words))[:n]
    return [
        _synthetic(INDUSTRIES[i % len(INDUSTRIES)], words[j]) for i, j in enumerate(order.tolist())
    ]


def _synthetic(industry: str, word: tuple[tuple[str, str], ...]) -> SimBrand:
    kind = load("brands")["synthetic"]["industries"][industry]
    latin = "".join(part[0] for part in word)
    arabic = "".join(part[1] for part in word)
    slug = latin + kind["en"].lower()
    return SimBrand(
        id=slug,
        name_en=f"{latin.capitalize()} {kind['en']}",
        name_ar=f"{kind['ar']} {arabic}",
        industry=industry,
        handles=(slug, f"{slug}_care"),
        domain=f"{slug}.example",
    )
