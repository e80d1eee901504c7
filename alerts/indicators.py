"""Impostors as threat intelligence: a STIX 2.1 bundle for OpenCTI, MISP and the like.

Ids are derived (UUIDv5), times are those of the alert: exporting twice gives the same bytes, and
an importer sees an update, not a second object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import stix2

from alerts.playbook.records import Bilingual
from alerts.records import Alert
from models.records import Impostor

NAMESPACE = UUID("6f1d4b0e-6c1b-5b39-9d0d-0f2f1c6a4e57")
TLP = {
    "white": stix2.TLP_WHITE,
    "green": stix2.TLP_GREEN,
    "amber": stix2.TLP_AMBER,
    "red": stix2.TLP_RED,
}
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)  # when our own identity was made
_ACCOUNT_TYPES = {"x": "twitter", "twitter": "twitter", "facebook": "facebook"}


def indicator_bundle(
    alerts: Iterable[Alert],
    brand_names: Mapping[str, Bilingual],
    *,
    brand: str | None = None,
    since: datetime | None = None,
    tlp: str = "amber",
) -> str:
    """Alerts of impostors as one STIX 2.1 bundle: JSON, the same for the same alerts.

    Each impostor gives an indicator (patterns of its domain and links, or of its account), a
    sighting of it by the brand, and a note with the reasons in both languages.

    Parameters
    ----------
    alerts : iterable of Alert
        Others than of impostors are passed over.
    brand_names : mapping of str to Bilingual
        Names by brand id; the id where there is none.
    brand : str, optional
        Only this brand.
    since : datetime, optional
        Only what was seen then or later; aware.
    tlp : {"white", "green", "amber", "red"}
        Who may be told (Traffic Light Protocol).

    References
    ----------
    OASIS, "STIX Version 2.1", 2021; D. McGrew, "RFC 9562" (UUIDv5).
    """
    since_ms = 0 if since is None else round(since.timestamp() * 1000)
    ours = _identity("nadhir", "Nadhir", "system")
    made: dict[str, Any] = {ours.id: ours, TLP[tlp].id: TLP[tlp]}
    for alert in alerts:
        seen = alert.impostor
        if seen is None or brand not in (None, alert.brand) or seen.last_ms < since_ms:
            continue
        name = brand_names.get(alert.brand, Bilingual(ar=alert.brand, en=alert.brand))
        victim = _identity(f"brand|{alert.brand}", name.en, "organization")
        common = {
            "created": alert.opened_at,
            "modified": max(alert.opened_at, alert.updated_at),
            "created_by_ref": ours.id,
            "object_marking_refs": [TLP[tlp].id],
        }
        indicator = _indicator(alert, seen, name.en, common)
        each = (victim, indicator, _sighting(alert, seen, indicator.id, victim.id, common))
        made |= {one.id: one for one in (*each, _note(alert, indicator.id, common))}
    # a bundle has no version: its id tells what is in it
    ordered = [made[id_] for id_ in sorted(made)]
    content = "|".join(f"{each.id}@{each.get('modified', '')}" for each in ordered)
    bundle = stix2.Bundle(*ordered, id=f"bundle--{uuid5(NAMESPACE, content)}")
    return str(bundle.serialize(pretty=True))


def pattern_of(seen: Impostor) -> str:
    """The STIX pattern of an impostor, with what strangers wrote escaped as the standard asks.

    Examples
    --------
    >>> from models.records import Impostor
    >>> _equals("domain-name", "value", "it's.top")
    "domain-name:value = 'it\\\\'s.top'"
    """
    if seen.kind == "domain":
        host = _ascii(seen.domain or "")
        return " OR ".join(
            [
                f"[{_equals('domain-name', 'value', host)}]",
                *(f"[{_equals('url', 'value', url)}]" for url in seen.urls),
            ]
        )
    platform = (seen.platform or "").lower()
    terms = [_equals("user-account", "account_type", _ACCOUNT_TYPES.get(platform, platform))]
    if seen.account:
        terms.append(_equals("user-account", "user_id", seen.account))
    elif seen.handle:
        terms.append(_equals("user-account", "account_login", seen.handle))
    else:
        terms.append(_equals("user-account", "display_name", seen.name or ""))
    return f"[{' AND '.join(terms)}]"


def _equals(kind: str, path: str, value: str) -> str:
    test = stix2.EqualityComparisonExpression(
        stix2.ObjectPath(kind, [path]), stix2.StringConstant(value)
    )
    return str(test)


def _ascii(host: str) -> str:
    """A host as the DNS has it, where it can be written so."""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _identity(key: str, name: str, kind: str) -> Any:
    return stix2.Identity(
        id=f"identity--{uuid5(NAMESPACE, key)}",
        created=_BEGAN,
        modified=_BEGAN,
        name=name,
        identity_class=kind,
    )


def _indicator(alert: Alert, seen: Impostor, brand: str, common: dict[str, Any]) -> Any:
    return stix2.Indicator(
        id=f"indicator--{uuid5(NAMESPACE, f'{alert.brand}|{seen.id}')}",
        name=f"{alert.type} of {brand}",
        description=alert.title.en,
        indicator_types=["malicious-activity"],
        labels=[alert.type],
        pattern=pattern_of(seen),
        pattern_type="stix",
        valid_from=_time(seen.first_ms),
        confidence=round(100 * seen.score),
        lang="en",
        external_references=[{"source_name": "nadhir", "external_id": alert.id}],
        **common,
    )


def _sighting(
    alert: Alert, seen: Impostor, indicator: str, brand: str, common: dict[str, Any]
) -> Any:
    return stix2.Sighting(
        id=f"sighting--{uuid5(NAMESPACE, f'{alert.brand}|{seen.id}')}",
        sighting_of_ref=indicator,
        where_sighted_refs=[brand],
        first_seen=_time(seen.first_ms),
        last_seen=_time(max(seen.last_ms, seen.first_ms)),
        count=seen.sightings,
        **common,
    )


def _note(alert: Alert, indicator: str, common: dict[str, Any]) -> Any:
    told = alert.explanation
    lines = [
        getattr(text, language)
        for language in ("en", "ar")
        for text in (told.observed, told.expected, *told.reasons)
    ]
    return stix2.Note(
        id=f"note--{uuid5(NAMESPACE, alert.id)}",
        abstract=alert.title.en,
        content="\n".join(lines),
        object_refs=[indicator],
        **common,
    )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
