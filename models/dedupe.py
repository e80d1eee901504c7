"""Which mentions were seen before: 64-bit keys in open-addressing tables, two generations.

A Python ``set`` of a day's keys costs about 70 bytes a mention; these tables cost 11 to 22 and are
probed a whole batch at a time.  A key lives for at least ``horizon_ms`` of event time, then its
generation is dropped whole.
"""

from __future__ import annotations

import numpy as np

from models.records import Bool, Int64, UInt64

_EMPTY = np.uint64(0)
_FULL = 0.6  # load above which a table grows
DAY_MS = 86_400_000


class KeyTable:
    """A growing set of non-zero 64-bit keys with batch insertion.

    Examples
    --------
    >>> KeyTable().add(np.array([5, 6, 5], dtype=np.uint64)).tolist()
    [True, True, False]
    """

    def __init__(self, capacity: int = 1 << 12) -> None:
        self._slots = np.zeros(capacity, dtype=np.uint64)
        self.size = 0

    def add(self, keys: UInt64) -> Bool:
        """Insert keys; True where the key was new (the first of equal keys in the batch)."""
        keys = np.where(keys == _EMPTY, np.uint64(1), keys)
        while self.size + len(keys) > _FULL * len(self._slots):
            self._grow()
        new = self._insert(keys)
        self.size += int(new.sum())
        return new

    def contains(self, keys: UInt64) -> Bool:
        """True where the key is in the table."""
        keys = np.where(keys == _EMPTY, np.uint64(1), keys)
        found = np.zeros(len(keys), dtype=np.bool_)
        pending = np.arange(len(keys))
        at = self._home(keys)
        while len(pending):
            held = self._slots[at]
            found[pending] = held == keys[pending]
            go_on = (held != _EMPTY) & ~found[pending]
            pending, at = pending[go_on], (at[go_on] + 1) & (len(self._slots) - 1)
        return found

    def keys(self) -> UInt64:
        """Every key held, in no particular order."""
        held: UInt64 = self._slots[self._slots != _EMPTY]
        return held

    def _home(self, keys: UInt64) -> Int64:
        # Fibonacci hashing: keys need not be well mixed
        mixed = keys * np.uint64(0x9E3779B97F4A7C15)
        shift = np.uint64(64 - (len(self._slots).bit_length() - 1))
        return (mixed >> shift).astype(np.int64)

    def _insert(self, keys: UInt64) -> Bool:
        unique, first = np.unique(keys, return_index=True)
        new = np.zeros(len(keys), dtype=np.bool_)
        pending = np.arange(len(unique))
        at = self._home(unique)
        slots, mask = self._slots, len(self._slots) - 1
        while len(pending):
            held = slots[at]
            free = held == _EMPTY
            slots[at[free]] = unique[pending[free]]  # of several claims on one slot the last wins
            won = free & (slots[at] == unique[pending])
            new[first[pending[won]]] = True
            go_on = ~won & (held != unique[pending])
            pending, at = pending[go_on], (at[go_on] + 1) & mask
        return new

    def _grow(self) -> None:
        keys = self.keys()
        self._slots = np.zeros(len(self._slots) * 4, dtype=np.uint64)
        self._insert(keys)


class Deduplicator:
    """Counts each mention once within a day (same platform and id).

    Parameters
    ----------
    horizon_ms : int
        Least event time for which a key is remembered.
    max_keys : int
        Keys a generation may hold; when it is full the generations turn early and
        ``shortened`` counts it, so that memory stays bounded whatever is sent.
    """

    def __init__(self, horizon_ms: int = DAY_MS, max_keys: int = 1 << 25) -> None:
        self._horizon_ms = horizon_ms
        self._max_keys = max_keys
        self._generation = 0
        self._since_ms: int | None = None
        self._old, self._young = KeyTable(), KeyTable()
        self._fresh: list[UInt64] = []
        self._unsaved: list[tuple[str, bytes | None]] = []
        self._parts = 0
        self.shortened = 0

    def first_seen(self, keys: UInt64) -> Bool:
        """True where a key has not been seen within the horizon; remembers all of them."""
        new = self._young.add(keys)
        if new.any():  # also what the older generation holds: sent again, it is remembered again
            self._fresh.append(keys[new])
        if self._old.size:
            new &= ~self._old.contains(keys)
        return new

    def seen(self, keys: UInt64) -> Bool:
        """True where a key was seen within the horizon; remembers nothing."""
        return self._young.contains(keys) | self._old.contains(keys)

    def turn(self, now_ms: int) -> None:
        """Tell the event time; drops the older generation when its horizon has passed."""
        if self._since_ms is None:
            self._since_ms = now_ms
        full = self._young.size > self._max_keys
        if now_ms - self._since_ms < self._horizon_ms and not full:
            return
        self.shortened += full
        self._flush()
        self._generation += 1
        self._unsaved.append((f"drop/{self._generation - 2}", None))
        self._old, self._young = self._young, KeyTable()
        self._since_ms = now_ms

    def _flush(self) -> None:
        if self._fresh:
            self._parts += 1
            name = f"{self._generation}/{self._parts}"
            self._unsaved.append((name, np.concatenate(self._fresh).tobytes()))
            self._fresh = []

    def changes(self) -> list[tuple[str, bytes | None]]:
        """What changed since the last call: pieces to store, and prefixes to drop (``None``)."""
        self._flush()
        head = np.array([self._generation, self._since_ms or 0, self._parts], dtype=np.int64)
        pieces = [*self._unsaved, ("head", head.tobytes())]
        self._unsaved = []
        return [(n.removeprefix("drop/") + "/" if b is None else n, b) for n, b in pieces]

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored pieces."""
        if "head" not in pieces:
            return
        generation, since, self._parts = np.frombuffer(pieces["head"], dtype=np.int64).tolist()
        self._generation, self._since_ms = generation, since
        for name, blob in pieces.items():
            if name != "head":
                table = self._young if name.startswith(f"{generation}/") else self._old
                table.add(np.frombuffer(blob, dtype=np.uint64))
