"""The half of the desk that keeps allow and block lists."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.service import listing
from alerts.service.errors import Missing
from alerts.service.list_records import (
    ConfiguredEntry,
    ListDraft,
    ListEntry,
    ListPage,
    configured,
    entry,
)
from alerts.service.speaking import Speaking
from alerts.service.writing import Answer, Once
from alerts.store import listings
from models.records import Brand, ListName


class Judging(Speaking):
    """Accounts and domains that somebody has judged; `alerts.listed` says what an entry may say."""

    def lists(
        self,
        brands: Sequence[Brand],
        *,
        brand: str | None,
        list_: ListName | None,
        removed: bool,
        before: tuple[int, str] | None,
        limit: int,
    ) -> ListPage:
        """A page of entries, the newest first; the first page with those of the configuration."""
        with self.database.read() as connection:
            found = listings.page(
                connection, brand=brand, list_=list_, removed=removed, before=before,
                limit=limit + 1,
            )  # fmt: skip
        last = found[limit - 1] if len(found) > limit else None
        return ListPage(
            entries=tuple(map(entry, found[:limit])),
            configured=() if before else _configured(brands, brand, list_),
            next=None if last is None else f"{last.created_ms}.{last.id}",
        )

    def listing(self, id_: str) -> ListEntry:
        """One entry.

        Raises
        ------
        Missing
        """
        with self.database.read() as connection:
            found = listings.find(connection, id_)
        if found is None:
            raise Missing(f"there is no entry {id_}")
        return entry(found)

    def add_listing(
        self,
        actor: str,
        brand: str,
        brands: Sequence[Brand],
        draft: ListDraft,
        *,
        once: Once | None,
    ) -> Answer:
        """Put an account or a domain on a list of a brand, one of those that are watched."""
        return self._versioned(
            actor, once, lambda tx: listing.create(tx, brand, brands, draft, self._phrases), 201
        )

    def remove_listing(
        self, actor: str, id_: str, *, version: int | None, once: Once | None
    ) -> Answer:
        """Take an entry away."""
        return self._versioned(actor, once, lambda tx: listing.remove(tx, id_, version=version))


def _configured(
    brands: Sequence[Brand], brand: str | None, list_: ListName | None
) -> tuple[ConfiguredEntry, ...]:
    names: tuple[ListName, ...] = ("allow", "block")
    return tuple(
        configured(one.id, name, listed)
        for one in brands
        if brand in (None, one.id)
        for name in names
        if list_ in (None, name)
        for listed in (one.allow if name == "allow" else one.block)
    )
