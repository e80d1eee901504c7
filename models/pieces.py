"""Names of stored pieces: those of a part stand under its prefix in those of the whole."""

from __future__ import annotations

from collections.abc import Mapping


def under(prefix: str, pieces: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pieces of a part, named as the whole names them.

    Examples
    --------
    >>> under("held/", {"3": b"x"})
    {'held/3': b'x'}
    """
    return {f"{prefix}{name}": blob for name, blob in pieces.items()}


def within(prefix: str, pieces: Mapping[str, bytes]) -> dict[str, bytes]:
    """The pieces of a whole that belong to a part, named as the part names them.

    Examples
    --------
    >>> within("held/", {"held/3": b"x", "level": b"y"})
    {'3': b'x'}
    """
    return {k.removeprefix(prefix): v for k, v in pieces.items() if k.startswith(prefix)}
