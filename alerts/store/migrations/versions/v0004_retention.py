"""What retention needs: alerts without evidence, ids of those that went, an audit trail that ages.

Rows of the audit trail may go from its beginning on, once the anchor (row 2 of ``chain``) covers
them; everything else stays refused.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_SQLITE = """
CREATE TRIGGER audit_stays_DELETE BEFORE DELETE ON audit
WHEN OLD.seq > COALESCE((SELECT seq FROM chain WHERE id = 2), 0)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_POSTGRESQL = (
    "DROP TRIGGER audit_stays ON audit",
    """
    CREATE TRIGGER audit_stays BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()
    """,
    """
    CREATE FUNCTION audit_ages() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.seq > COALESCE((SELECT seq FROM chain WHERE id = 2), 0) THEN
            RAISE EXCEPTION 'the audit trail is append-only';
        END IF;
        RETURN OLD;
    END $$
    """,
    """
    CREATE TRIGGER audit_ages BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_ages()
    """,
)


def upgrade() -> None:
    """Add what is needed."""
    bare = sa.Column("bare", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("alerts", bare)
    op.create_index("alerts_ageing", "alerts", ["state", "bare", "updated_ms", "id"])
    op.create_index("notifications_ageing", "notifications", ["outcome_ms"])
    op.create_table(
        "gone",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("news", sa.Integer, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_stays_DELETE")
        op.execute(_SQLITE)
    else:
        for statement in _POSTGRESQL:
            op.execute(statement)
