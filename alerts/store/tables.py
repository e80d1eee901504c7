"""Tables of the response database; migrations/ creates them, a test holds the two together.

Times are milliseconds since the epoch.  Bodies are JSON of our records.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData()
Serial = BigInteger().with_variant(Integer, "sqlite")  # what SQLite numbers by itself

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("brand", String(80), nullable=False),
    Column("type", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("score", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("title_ar", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("acknowledged_by", String(80)),
    Column("acknowledged_ms", BigInteger),
    Column("resolved_by", String(80)),
    Column("resolved_ms", BigInteger),
    Column("assignee", String(80)),
    Column("paged_version", Integer, nullable=False),  # of the last time somebody was asked to come
    Column("news", Integer, nullable=False),  # entries of the timeline that were taken
    Column("body", LargeBinary, nullable=False),
    Column("bare", Boolean, nullable=False, server_default=false()),  # without evidence
    Index("alerts_ageing", "state", "bare", "updated_ms", "id"),
    Index("alerts_newest", "opened_ms", "id"),
    Index("alerts_state", "state", "opened_ms", "id"),
    Index("alerts_brand", "brand", "opened_ms", "id"),
    Index("alerts_standing", "brand", "severity", "state"),
)

gone = Table(
    "gone",  # alerts that retention dropped, so that nobody takes them up again
    metadata,
    Column("id", String(80), primary_key=True),
    Column("news", Integer, nullable=False),  # that had been taken
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("alert", String(80)),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_alert", "alert", "seq"),
)

chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1 the head, 2 the anchor
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

comments = Table(
    "comments",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("alert", String(80), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Index("comments_alert", "alert", "id"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("alert", String(80), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("duplicate_of", String(80)),
    Column("reason", Text, nullable=False),
    Index("verdicts_alert", "alert", "id"),
)

messages = Table(
    "messages",
    metadata,
    Column("alert", String(80), primary_key=True),
    Column("name", String(80), primary_key=True),  # kind, channel and language
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("receiver", String(80), nullable=False),
    Column("why", String(16), nullable=False),
    Column("alert", String(80), nullable=False),
    Column("paging", Boolean, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("outcome_ms", BigInteger),
    Column("stage", String(40)),
    Column("detail", Text),
    Column("body", LargeBinary, nullable=False),
    Index("notifications_ageing", "outcome_ms"),
    Index("notifications_due", "status", "due_ms"),
    Index("notifications_alert", "alert", "id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("alert", String(80), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("body", LargeBinary),  # none: it is gone
)

turns = Table(
    "turns",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(80), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

silences = Table(
    "silences",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),  # or ended early
    Column("body", LargeBinary, nullable=False),
    Index("silences_ends", "ends_ms"),
)

listings = Table(
    "listings",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("list", String(8), nullable=False),
    Column("brand", String(80), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("removed_ms", BigInteger),
    Column("body", LargeBinary, nullable=False),
    Index("listings_newest", "created_ms", "id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("revoked_ms", BigInteger),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", String(80), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("version", Integer),
    Column("body", LargeBinary, nullable=False),
    Index("idempotency_at", "at_ms"),
)

used_links = Table(
    "used_links",
    metadata,
    Column("nonce", String(64), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)

escalations = Table(
    "escalations",
    metadata,
    Column("key", String(200), primary_key=True),  # alert, chain, step and round
    Column("alert", String(80), nullable=False),
    Column("chain", String(80), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("escalations_due", "status", "due_ms"),
    Index("escalations_alert", "alert"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
