"""Why the response database cannot be used."""

from __future__ import annotations


class StoreFault(Exception):
    """The database cannot be used; the message says which and what to do."""


class DatabaseUnavailable(StoreFault):
    """It cannot be used just now; trying again may help."""
