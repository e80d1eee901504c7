"""A piece of a page that is the same for everybody: made once for all who ask for it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable


class Kept:
    """Pieces by name, each as of what it was made from.

    When something changes, every open page asks for its news within a second: the first one has
    the piece made anew while the others wait for it.

    Examples
    --------
    >>> kept = Kept()
    >>> [kept.find("board", key, lambda: f"as of {key}") for key in (1, 1, 2)]
    ['as of 1', 'as of 1', 'as of 2']
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[Hashable, str]] = {}
        self._lock = threading.Lock()

    def find(self, name: str, key: Hashable, make: Callable[[], str]) -> str:
        """A piece; made anew if it was made from something else than ``key``."""
        with self._lock:
            held = self._held.get(name)
            if held is None or held[0] != key:
                held = key, make()
                self._held[name] = held
            return held[1]
