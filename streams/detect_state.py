"""Stored detection state for another list of brands: columns move with their brand's id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from models.counts import moved as moved_counts
from models.emphasis import SLOTS
from models.kept import moved as moved_evidence

Pieces = dict[str, bytes]
Change = tuple[str, bytes | None]

MAX_PLATFORMS = 8  # a brand; what comes from more is counted as "other"


def settled(changes: Iterable[Change]) -> list[Change]:
    """Changes in an order that does not matter: all drops first, then what outlives them.

    Examples
    --------
    >>> settled([("a/1", b"x"), ("b/1", b"y"), ("a/", None), ("b/1", b"z")])
    [('a/', None), ('b/1', b'z')]
    """
    ordered = list(changes)
    drops = {name: i for i, (name, blob) in enumerate(ordered) if blob is None}
    pieces: dict[str, bytes] = {}
    for i, (name, blob) in enumerate(ordered):
        if blob is not None and not any(drops.get(p, -1) > i for p in _prefixes(name)):
            pieces[name] = blob
    return [*((name, None) for name in drops), *pieces.items()]


def _prefixes(name: str) -> list[str]:
    """What a drop of the piece would be called: ``a/b/c`` goes with ``a/`` and ``a/b/``."""
    return [name[: i + 1] for i, char in enumerate(name) if char == "/"]


def remap(stored: Pieces, fresh: Pieces, old: Sequence[str], new: Sequence[str]) -> Pieces:
    """State of the brands ``old`` as state of the brands ``new``.

    Parameters
    ----------
    stored : dict of str to bytes
        Pieces as ``DetectStage.changes`` names them.
    fresh : dict of str to bytes
        The detectors' pieces of a stage without history, for brands that are new.
    """
    at = {brand: i for i, brand in enumerate(old)}
    source = np.array([at.get(b, -1) for b in new], dtype=np.int64)
    move = {i: j for j, i in enumerate(source.tolist()) if i >= 0}

    def piece(name: str, blob: bytes) -> bytes:
        part, _, rest = name.partition("/")
        whole = ("dedupe", "complaints", "impostors", "head", "lookout", "supporters")
        if part in whole or rest == "now":
            return blob
        if part in ("evidence", "posts"):
            return moved_evidence(blob, move)
        if part == "platforms":
            return moved_counts(blob, move, MAX_PLATFORMS)
        if part == "emphasis":
            return moved_counts(blob, move, SLOTS, sums=True)
        if part in ("all", "negative"):
            return moved_counts(blob, move)
        columns = np.frombuffer(blob, dtype=np.int64).reshape(-1, len(old))
        fresh_columns = np.frombuffer(fresh[name], dtype=np.int64).reshape(-1, len(new))
        return np.where(source >= 0, columns[:, source], fresh_columns).tobytes()

    def known(name: str) -> bool:
        part, _, rest = name.partition("/")
        if part == "impostors":  # by the brand's id, not its index
            return rest.partition("/")[0] in new
        # what an older version kept of detectors and this one does not
        return not name.startswith("detector_") or name in fresh

    return {name: piece(name, blob) for name, blob in stored.items() if known(name)}
