"""The first schema: alerts, audit trail, outbox, silences, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_SQLITE = """
CREATE TRIGGER audit_stays_{what} BEFORE {what} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_POSTGRESQL = """
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
"""
_TRIGGER = """
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()
"""


def upgrade() -> None:
    """Create the tables."""
    _tables()
    chain = sa.table("chain", sa.column("id"), sa.column("seq"), sa.column("hash"))
    op.execute(chain.insert().values(id=1, seq=0, hash="0" * 64))
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(what=what))
    else:
        op.execute(_POSTGRESQL)
        op.execute(_TRIGGER)


def _tables() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("brand", sa.String(80), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("title_ar", sa.Text, nullable=False),
        sa.Column("title_en", sa.Text, nullable=False),
        sa.Column("drill", sa.Boolean, nullable=False),
        sa.Column("opened_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_by", sa.String(80)),
        sa.Column("acknowledged_ms", sa.BigInteger),
        sa.Column("resolved_by", sa.String(80)),
        sa.Column("resolved_ms", sa.BigInteger),
        sa.Column("assignee", sa.String(80)),
        sa.Column("paged_version", sa.Integer, nullable=False),
        sa.Column("news", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("alerts_newest", "alerts", ["opened_ms", "id"])
    op.create_index("alerts_state", "alerts", ["state", "opened_ms", "id"])
    op.create_index("alerts_brand", "alerts", ["brand", "opened_ms", "id"])
    op.create_index("alerts_standing", "alerts", ["brand", "severity", "state"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("alert", sa.String(80)),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("audit_alert", "audit", ["alert", "seq"])
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "comments",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("alert", sa.String(80), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("author", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("comments_alert", "comments", ["alert", "id"])
    op.create_table(
        "verdicts",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("alert", sa.String(80), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("duplicate_of", sa.String(80)),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("verdicts_alert", "verdicts", ["alert", "id"])
    op.create_table(
        "notifications",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("receiver", sa.String(80), nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("alert", sa.String(80), nullable=False),
        sa.Column("paging", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("outcome_ms", sa.BigInteger),
        sa.Column("stage", sa.String(40)),
        sa.Column("detail", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("notifications_due", "notifications", ["status", "due_ms"])
    op.create_index("notifications_alert", "notifications", ["alert", "id"])
    op.create_table(
        "silences",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("silences_ends", "silences", ["ends_ms"])
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger),
    )
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String(80), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("idempotency_at", "idempotency", ["at_ms"])
    op.create_table(
        "used_links",
        sa.Column("nonce", sa.String(64), primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "escalations",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("alert", sa.String(80), nullable=False),
        sa.Column("chain", sa.String(80), nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("escalations_due", "escalations", ["status", "due_ms"])
    op.create_index("escalations_alert", "escalations", ["alert"])
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
