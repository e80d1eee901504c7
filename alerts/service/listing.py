"""Allow and block lists: an entry is made, and taken away."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

import msgspec

from alerts.listed import MOST_ENTRIES, check, meant, tidy
from alerts.service.errors import Conflict, Invalid, Missing, Stale
from alerts.service.list_records import ListDraft, ListEntry, entry
from alerts.service.tx import Tx
from alerts.store import audit, listings
from alerts.store.listings import Entry
from alerts.texts import Phrases
from models.records import Brand, Judgement, Listed

_LISTED = ("listed",)  # faults that another entry makes, not the request alone


def create(
    tx: Tx, brand_id: str, brands: Sequence[Brand], draft: ListDraft, phrases: Phrases
) -> ListEntry:
    """Add an entry, owned by who asks.

    Raises
    ------
    Invalid
        With everything that is wrong with it.
    Conflict
        If it is on a list already, or the lists are full.
    """
    brand = next((each for each in brands if each.id == brand_id), None)
    if brand is None:
        raise Invalid([("brand", "unknown_brand", phrases.say("lists.faults.unknown_brand"))])
    said = {k: v for k, v in msgspec.structs.asdict(draft).items() if k != "list"}
    listed = tidy(Listed(owner=tx.actor, **said))
    made = Judgement(brand=brand.id, list=draft.list, listed=listed)
    audit.lock(tx.connection)  # two who list the same at once: the second sees the first
    if listings.count(tx.connection) >= MOST_ENTRIES:
        raise Conflict(f"the lists hold {MOST_ENTRIES:,} entries, the most there may be")
    _refuse(made, brand, _holding(tx, brand.id), tx.now_ms, phrases)
    held = Entry(
        id=f"lst-{secrets.token_hex(8)}",
        version=1,
        created_ms=tx.now_ms,
        removed_ms=None,
        judgement=made,
    )
    listings.insert(tx.connection, held)
    tx.record("listed", None, _details(held))
    return entry(held)


def remove(tx: Tx, id_: str, *, version: int | None) -> ListEntry:
    """Take an entry away; it stays to be read.

    Raises
    ------
    Missing, Stale
    """
    held = listings.find(tx.connection, id_, lock=True)
    if held is None:
        raise Missing(f"there is no entry {id_}")
    if version is not None and held.version != version:
        raise Stale(None, held.version)
    if held.removed_ms is not None:
        return entry(held)
    gone = listings.remove(tx.connection, held, tx.now_ms)
    tx.record("unlisted", None, _details(gone))
    return entry(gone)


def _holding(tx: Tx, brand: str) -> list[Judgement]:
    found = listings.current(tx.connection, brand)
    return [one for one in found if not _over(one.listed, tx.now_ms)]


def _over(listed: Listed, now_ms: int) -> bool:
    return listed.until_ms is not None and listed.until_ms <= now_ms


def _refuse(
    made: Judgement, brand: Brand, others: Sequence[Judgement], now_ms: int, phrases: Phrases
) -> None:
    found = check(made, brand, others, now_ms, phrases)
    faults = [(fault.field, fault.code, fault.sentence) for fault in found]
    if not faults:
        return
    if all(code in _LISTED for _, code, _ in faults):
        raise Conflict(faults[0][2].en.rstrip("."), faults=faults)
    raise Invalid(faults)


def _details(held: Entry) -> dict[str, str | None]:
    """For the audit trail, which nothing can be erased from: whom it is about, as a hash."""
    one = held.judgement
    who = hashlib.sha256("|".join((one.brand, *meant(one.listed))).encode()).hexdigest()
    kind = meant(one.listed)[0]
    return {"entry": held.id, "list": one.list, "brand": one.brand, "kind": kind, "whom": who}
