"""Stored detection state for another list of brands: columns move with their brand's id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from models.evidence import moved as moved_evidence

Pieces = dict[str, bytes]
Change = tuple[str, bytes | None]


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
    return {
        name: _piece(name, blob, fresh, len(old), source, move) for name, blob in stored.items()
    }


def _piece(
    name: str,
    blob: bytes,
    fresh: Pieces,
    old: int,
    source: np.ndarray[tuple[int], np.dtype[np.int64]],
    move: dict[int, int],
) -> bytes:
    part, _, rest = name.partition("/")
    if part in ("dedupe", "head") or rest == "now":
        return blob
    if part == "evidence":
        return moved_evidence(blob, move)
    dtype = np.dtype(np.int64 if part.startswith("detector_") else np.uint32)
    if part == "platforms":
        columns = np.frombuffer(blob, dtype=dtype).reshape(old, -1)
        moved = np.where((source >= 0)[:, None], columns[source], 0)
        return moved.astype(dtype).tobytes()
    columns = np.frombuffer(blob, dtype=dtype).reshape(-1, old)
    base = (
        np.frombuffer(fresh[name], dtype=dtype).reshape(-1, len(source)) if fresh.get(name) else 0
    )
    return np.where(source >= 0, columns[:, source], base).astype(dtype).tobytes()
