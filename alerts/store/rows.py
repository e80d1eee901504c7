"""Alerts in the database: one row each, read and changed inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, or_, select

from alerts.drills import is_drill
from alerts.lifecycle import Lifecycle
from alerts.playbook.records import Bilingual, Severity
from alerts.records import Alert, Event
from alerts.store.tables import alerts, comments, verdicts

_SINGLY = 20  # bodies in memory at once where only a part of each is wanted
# a body may have 100 kB
_BRIEF = [column for column in alerts.c if column.name not in ("body", "bare")]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as the database knows it, without what fusion said of it."""

    id: str
    version: int
    state: Lifecycle
    brand: str
    type: str
    severity: Severity
    score: int
    kind: str
    title_ar: str
    title_en: str
    drill: bool
    opened_ms: int
    updated_ms: int
    acknowledged_by: str | None
    acknowledged_ms: int | None
    resolved_by: str | None
    resolved_ms: int | None
    assignee: str | None
    paged_version: int
    news: int


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What of an alert's body says what happened to it, without its evidence."""

    id: str
    brand: str
    kind: str
    title: Bilingual
    timeline: tuple[Event, ...]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts are asked for; what is empty asks for all."""

    states: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    assignee: str | None = None
    drill: bool | None = None
    opened_from_ms: int | None = None
    opened_to_ms: int | None = None


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder wrote about an alert."""

    id: int
    at_ms: int
    author: str
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder found an alert to be."""

    id: int
    at_ms: int
    actor: str
    verdict: str
    duplicate_of: str | None
    reason: str


def find(connection: Connection, id_: str, *, lock: bool = False) -> Row | None:
    """One alert; with ``lock`` nobody else changes it before the transaction ends."""
    query = select(*_BRIEF).where(alerts.c.id == id_)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _row(row)


def lock(connection: Connection, ids: Iterable[str]) -> None:
    """Lock alerts, in one order whoever asks."""
    query = select(alerts.c.id).where(alerts.c.id.in_(list(ids))).order_by(alerts.c.id)
    connection.execute(query.with_for_update()).all()


def body(connection: Connection, id_: str) -> Alert:
    """What fusion said last of an alert that is there."""
    held = connection.execute(select(alerts.c.body).where(alerts.c.id == id_)).scalar_one()
    return msgspec.json.decode(held, type=Alert)


def past(connection: Connection, since_ms: int, limit: int) -> list[Past]:
    """What happened to alerts opened since a moment, the newest first; bodies are read singly."""
    query = select(alerts.c.body).where(alerts.c.opened_ms >= since_ms)
    query = query.order_by(alerts.c.opened_ms.desc(), alerts.c.id).limit(limit)
    found = connection.execution_options(yield_per=_SINGLY).execute(query)
    return [msgspec.json.decode(body, type=Past) for (body,) in found]


def each(connection: Connection, some: int) -> Iterator[tuple[Row, Alert]]:
    """Every alert with what fusion said, by id, locked as it is read, some at a time."""
    query = select(alerts).order_by(alerts.c.id).limit(some).with_for_update()
    after = ""
    while found := connection.execute(query.where(alerts.c.id > after)).all():
        for row in found:
            yield _row(row), msgspec.json.decode(row.body, type=Alert)
        after = found[-1].id


def of_types(
    connection: Connection, types: Sequence[str], *, brand: str | None, after: str, limit: int
) -> list[Alert]:
    """What fusion said of alerts of some types, drills aside, by id, from after an id on."""
    query = select(alerts.c.body).where(
        alerts.c.type.in_(types), alerts.c.drill.is_(False), alerts.c.id > after
    )
    if brand is not None:
        query = query.where(alerts.c.brand == brand)
    found = connection.execute(query.order_by(alerts.c.id).limit(limit))
    return [msgspec.json.decode(body, type=Alert) for (body,) in found]


def page(
    connection: Connection, wanted: Filter, *, before: tuple[int, str] | None, limit: int
) -> list[Row]:
    """Alerts, the newest first, that come after ``before`` (when opened, id) in that order."""
    query = _wanted(select(*_BRIEF), wanted)
    if before is not None:
        opened_ms, id_ = before
        same = and_(alerts.c.opened_ms == opened_ms, alerts.c.id < id_)
        # the first condition is implied, but lets the index be entered at the right place
        query = query.where(alerts.c.opened_ms <= opened_ms)
        query = query.where(or_(alerts.c.opened_ms < opened_ms, same))
    query = query.order_by(alerts.c.opened_ms.desc(), alerts.c.id.desc()).limit(limit)
    return [_row(row) for row in connection.execute(query)]


def greater(connection: Connection, brands: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Critical alerts by brand that are not resolved, drills aside: the first and last id.

    Two are enough to tell whether there is another one than an alert itself.
    """
    query = select(alerts.c.brand, func.min(alerts.c.id), func.max(alerts.c.id)).where(
        alerts.c.brand.in_(brands),
        alerts.c.severity == "critical",
        alerts.c.state.in_(("open", "acknowledged")),
        alerts.c.drill.is_(False),
    )
    found = connection.execute(query.group_by(alerts.c.brand))
    return {brand: (first, last) for brand, first, last in found}


def counts(connection: Connection) -> list[tuple[str, str, int]]:
    """Number of alerts by state and severity, drills aside."""
    query = select(alerts.c.state, alerts.c.severity, func.count()).where(alerts.c.drill.is_(False))
    found = connection.execute(query.group_by(alerts.c.state, alerts.c.severity))
    return [(state, severity, int(count)) for state, severity, count in found]


def unresolved(connection: Connection) -> dict[str, int]:
    """Number of alerts that are not resolved by brand, drills aside."""
    query = select(alerts.c.brand, func.count()).where(
        alerts.c.state != "resolved", alerts.c.drill.is_(False)
    )
    return {b: int(n) for b, n in connection.execute(query.group_by(alerts.c.brand))}


def standing(connection: Connection) -> dict[str, dict[str, int]]:
    """Number of alerts that are not resolved by brand and severity, drills aside.

    The index holds all that it takes; drills are told by their brand, which is in it, too.
    """
    query = select(alerts.c.brand, alerts.c.severity, func.count())
    query = query.where(alerts.c.state != "resolved")
    found: dict[str, dict[str, int]] = {}
    for brand, severity, count in connection.execute(
        query.group_by(alerts.c.brand, alerts.c.severity)
    ):
        if not is_drill(brand):
            found.setdefault(brand, {})[severity] = int(count)
    return found


def insert(connection: Connection, row: Row, alert: Alert) -> None:
    """Add an alert."""
    values = msgspec.structs.asdict(row) | {"body": msgspec.json.encode(alert)}
    connection.execute(alerts.insert().values(**values))


def update(
    connection: Connection, row: Row, changes: Mapping[str, Any], alert: Alert | None = None
) -> Row:
    """Change a locked alert; its version goes up by one."""
    changed = msgspec.structs.replace(row, **changes, version=row.version + 1)
    values = {name: getattr(changed, name) for name in changes} | {"version": changed.version}
    if alert is not None:
        values |= {"body": msgspec.json.encode(alert), "bare": False}
    connection.execute(alerts.update().where(alerts.c.id == row.id).values(**values))
    return changed


def add_comment(connection: Connection, id_: str, *, at_ms: int, author: str, text: str) -> None:
    """Keep a comment."""
    values = {"alert": id_, "at_ms": at_ms, "author": author, "text": text}
    connection.execute(comments.insert().values(**values))


def add_verdict(connection: Connection, id_: str, **values: Any) -> None:
    """Keep a verdict; the latest one counts."""
    connection.execute(verdicts.insert().values(alert=id_, **values))


def said(connection: Connection, id_: str) -> list[Comment]:
    """Comments, in order."""
    query = select(comments).where(comments.c.alert == id_).order_by(comments.c.id)
    return [
        Comment(id=row.id, at_ms=row.at_ms, author=row.author, text=row.text)
        for row in connection.execute(query)
    ]


def judged(connection: Connection, id_: str) -> list[Verdict]:
    """Verdicts, in order."""
    query = select(verdicts).where(verdicts.c.alert == id_).order_by(verdicts.c.id)
    names = Verdict.__struct_fields__
    return [
        Verdict(**{name: getattr(row, name) for name in names}) for row in connection.execute(query)
    ]


def verdict_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The latest verdict on each of some alerts, where there is one."""
    last = select(func.max(verdicts.c.id)).where(verdicts.c.alert.in_(ids))
    query = select(verdicts.c.alert, verdicts.c.verdict)
    query = query.where(verdicts.c.id.in_(last.group_by(verdicts.c.alert)))
    return {str(alert): str(word) for alert, word in connection.execute(query)}


def latest_verdicts(connection: Connection, brand: str, type_: str) -> dict[str, int]:
    """How many of a brand's alerts of a type were found to be what, by their latest verdicts."""
    last = select(func.max(verdicts.c.id)).group_by(verdicts.c.alert)
    query = select(verdicts.c.verdict, func.count()).join(alerts, alerts.c.id == verdicts.c.alert)
    query = query.where(verdicts.c.id.in_(last), alerts.c.brand == brand, alerts.c.type == type_)
    return {word: int(n) for word, n in connection.execute(query.group_by(verdicts.c.verdict))}


def _wanted(query: Select[Any], wanted: Filter) -> Select[Any]:
    for column, values in (
        (alerts.c.state, wanted.states),
        (alerts.c.brand, wanted.brands),
        (alerts.c.severity, wanted.severities),
        (alerts.c.type, wanted.types),
    ):
        if values:
            query = query.where(column.in_(values))
    if wanted.assignee is not None:
        query = query.where(alerts.c.assignee == wanted.assignee)
    if wanted.drill is not None:
        query = query.where(alerts.c.drill.is_(wanted.drill))
    if wanted.opened_from_ms is not None:
        query = query.where(alerts.c.opened_ms >= wanted.opened_from_ms)
    if wanted.opened_to_ms is not None:
        query = query.where(alerts.c.opened_ms < wanted.opened_to_ms)
    return query


def _row(row: Any) -> Row:
    return Row(**{name: getattr(row, name) for name in Row.__struct_fields__})
