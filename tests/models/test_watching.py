"""What is counted quickly of who shares what is what `numpy` counts slowly."""

from __future__ import annotations

import numpy as np
import pytest

from models.watching import Marks, _among, _crowds, _distinct

RNG = np.random.default_rng(5)
MANY = RNG.integers(0, 1 << 63, 4_000).astype(np.uint64)


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_different_pairs_are_counted(count: int) -> None:
    pairs = np.stack([RNG.integers(0, 9, count), RNG.integers(-5, 5, count)])
    wanted, many = np.unique(pairs, axis=1, return_counts=True)
    found, counts = _distinct(pairs)
    assert found.tolist() == wanted.tolist()
    assert counts.tolist() == many.tolist()


def test_known_keys_are_found_and_no_others() -> None:
    known = np.sort(RNG.choice(MANY, 300, replace=False))
    other = MANY ^ np.uint64(1 << 40)  # of which a part of the bits is known
    keys = RNG.permutation(np.concatenate([MANY, other]))
    assert _among(keys, known).tolist() == np.flatnonzero(np.isin(keys, known)).tolist()
    assert not len(_among(keys[:0], known))


def test_an_account_counts_once_for_what_it_shares() -> None:
    keys = np.repeat(MANY[:3], [6, 6, 2])
    accounts = np.array([1, 2, 3, 4, 5, 5, 1, 1, 1, 1, 2, 2, 1, 2])
    half = Marks(np.zeros(2), keys, np.ones(14, np.int64), accounts, keys == MANY[0])
    fresh = np.sort(MANY[:3])
    found = _crowds([half], fresh, [], 1.0)
    assert sorted(found.accounts.tolist()) == [1, 2, 3, 4, 5]
    assert found.text.all()
    early = Marks(np.zeros(2), *(np.tile(each, 2) for each in half[1:]))
    assert not len(_crowds([half], fresh, [early, early], 1.0).accounts)
