"""Allow and block lists as the API shows them."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.records import rfc3339
from alerts.service.records import time_or_none
from alerts.store.listings import Entry
from models.records import Listed, ListName


class ListDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder says of an account or a domain; the owner is who asks."""

    list: ListName
    reason: str
    handle: str | None = None
    platform: str | None = None
    account: str | None = None
    domain: str | None = None
    until_ms: int | None = None


class ConfiguredEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the configuration: an account (by handle, or platform and id) or a domain."""

    list: ListName
    brand: str
    owner: str
    reason: str
    handle: str | None
    platform: str | None
    account: str | None
    domain: str | None
    until: str | None


class ListEntry(ConfiguredEntry, frozen=True, kw_only=True):
    """An entry of the lists that was made here; ``removed_at`` says that it holds no more."""

    id: str
    version: int
    created_at: str
    removed_at: str | None


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, the newest first, and beside the first page those of the configuration."""

    entries: tuple[ListEntry, ...]
    configured: tuple[ConfiguredEntry, ...]
    next: str | None


def configured(brand: str, list_: ListName, listed: Listed) -> ConfiguredEntry:
    """An entry of the configuration as it is shown."""
    return ConfiguredEntry(list=list_, brand=brand, **_said(listed))


def entry(found: Entry) -> ListEntry:
    """An entry as it is shown."""
    one = found.judgement
    return ListEntry(
        id=found.id,
        version=found.version,
        list=one.list,
        brand=one.brand,
        created_at=rfc3339(found.created_ms),
        removed_at=time_or_none(found.removed_ms),
        **_said(one.listed),
    )


def _said(listed: Listed) -> dict[str, Any]:
    said = msgspec.structs.asdict(listed)
    until_ms = said.pop("until_ms")
    return {**said, "until": time_or_none(until_ms)}
