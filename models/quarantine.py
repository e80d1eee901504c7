"""What is learned of scatter waits for a day: a slow climb would widen what counts as usual.

A crisis that comes on slowly is noticed hours after it began.  Its first hours, learned at
once, would raise the dispersion and hide what follows.  They are held back instead, and forgotten
if an episode comes within a day.
"""

from __future__ import annotations

import numpy as np

from models.records import Bool, Float64

_HOURS = 24


class Quarantine:
    """Sums of the last day, by hour, for some quantities of many series.

    Parameters
    ----------
    quantities, series : int

    Examples
    --------
    >>> held = Quarantine(1, 1)
    >>> told = [held.exchange(h, np.array([[float(h)]]), np.array([True])) for h in range(26)]
    >>> [each.item() for each in told[-3:]]
    [0.0, 0.0, 1.0]
    """

    def __init__(self, quantities: int, series: int) -> None:
        self._held = np.zeros((_HOURS, quantities, series))
        self._dirty: set[int] = set()

    def exchange(self, hour: int, values: Float64, mask: Bool) -> Float64:
        """Hold what an hour says; what the hour a day before said.

        Parameters
        ----------
        values : float64[quantities, series]
        mask : bool[series]
            Series that are calm; of the others all that is held is forgotten.
        """
        row = hour % _HOURS
        released: Float64 = np.where(mask, self._held[row], 0.0)
        self._held[row] = values
        self._dirty.add(row)
        if not mask.all():
            self._held[:, :, ~mask] = 0.0
            self._dirty.update(range(_HOURS))
        return released

    def snapshot(self) -> dict[str, bytes]:
        """All state, as bytes by name."""
        return {str(row): held.tobytes() for row, held in enumerate(self._held)}

    def changes(self) -> dict[str, bytes]:
        """What of the snapshot changed since the last call."""
        rows, self._dirty = sorted(self._dirty), set()
        return {str(row): self._held[row].tobytes() for row in rows}

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up a snapshot."""
        for row, blob in pieces.items():
            self._held[int(row)] = np.frombuffer(blob).reshape(self._held[0].shape)
