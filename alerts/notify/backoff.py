"""When to try again: exponential backoff with full jitter."""

from __future__ import annotations

import random

import msgspec

_MOST_DOUBLINGS = 30


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how long a notification is tried.

    It is given up when it was tried ``attempts`` times and ``give_up_after_ms`` have passed: one
    that waited for quiet hours or a limit has its attempts still.
    """

    first_ms: int = 5_000
    most_ms: int = 900_000
    attempts: int = 10
    give_up_after_ms: int = 86_400_000

    def spent(self, attempts: int, age_ms: int) -> bool:
        """Whether to give up after so many attempts and so long.

        Examples
        --------
        >>> Retries(attempts=3).spent(3, 1_000), Retries(attempts=3).spent(3, 86_400_000)
        (False, True)
        """
        return attempts >= self.attempts and age_ms >= self.give_up_after_ms


def wait_ms(
    retries: Retries, attempts: int, draw: random.Random, retry_after_s: float | None = None
) -> int:
    """How long to wait after so many attempts.

    A uniform draw between nothing and ``first_ms * 2 ** (attempts - 1)``, ``most_ms`` at most
    ("full jitter"), added to what the receiver asked for.

    References
    ----------
    M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015.

    Examples
    --------
    >>> 0 <= wait_ms(Retries(), 3, random.Random(1)) <= 20_000
    True
    """
    doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    ceiling = min(retries.most_ms, retries.first_ms * 2**doublings)
    return int((retry_after_s or 0) * 1_000) + draw.randint(0, ceiling)
