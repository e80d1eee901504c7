"""Allow and block lists that are kept while Nadhir runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "listings",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("list", sa.String(8), nullable=False),
        sa.Column("brand", sa.String(80), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("removed_ms", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Index("listings_newest", "created_ms", "id"),
    )
