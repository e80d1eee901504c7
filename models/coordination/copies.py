"""Which of the texts that are held a new one is a near-duplicate of."""

from __future__ import annotations

from collections import deque

from models.coordination.held import Held
from models.coordination.text import Text

_SAME = 0.7
_MOST_READ = 512  # texts that are kept ready to be compared


class Copies:
    """Texts by the keys of near-duplicates that they have; of a key, the latest text has it."""

    def __init__(self) -> None:
        self._bands: dict[int, Held] = {}
        self._read: deque[Text] = deque()

    def __len__(self) -> int:
        return len(self._bands)

    def hold(self, held: Held, said: Text) -> None:
        """Let a text be found."""
        for band in said.bands:
            self._bands[band] = held

    def let_go(self, held: Held, said: Text) -> None:
        """Forget a text."""
        bands = self._bands
        for band in said.bands:
            if bands.get(band) is held:
                del bands[band]

    def likest(self, said: Text) -> tuple[Held | None, float]:
        """The near-duplicate that has most in common with a text, and how much that is."""
        found = dict.fromkeys(map(self._bands.get, said.bands))
        found.pop(None, None)
        if not found:
            return None, 0.0
        for other in found:
            assert other.said is not None  # it has bands
            if said.equals(other.said):
                return other, 1.0
        return self._compared(said, found)

    def _compared(self, said: Text, found: dict[Held, None]) -> tuple[Held | None, float]:
        self._ready(said)
        best, most = None, 0.0
        firsts: dict[int, float] = {}  # how much it has in common with the first of a trace
        for other in found:
            assert other.said is not None
            alike = self._alike(said, other.said)
            first = other.trace.text if other.trace is not None else None
            if first is not None and alike < _SAME:
                # a chain of changes would join what is different
                if id(first) not in firsts:
                    firsts[id(first)] = self._alike(said, first)
                alike = firsts[id(first)]
            if alike > most:
                best, most = other, alike
        return best, most

    def _alike(self, said: Text, other: Text) -> float:
        both = said.common(other)
        if not both:
            return 0.0
        self._ready(other)
        return said.alike(other, both)

    def _ready(self, text: Text) -> None:
        if text.read():
            self._read.append(text)
            if len(self._read) > _MOST_READ:
                self._read.popleft().put_away()
