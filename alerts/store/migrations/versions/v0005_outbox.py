"""What is to be published of the lifecycle, and whose turn it is to publish."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "outbox",
        sa.Column("seq", SERIAL, primary_key=True),
        sa.Column("alert", sa.String(80), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_table(
        "turns",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("holder", sa.String(80), nullable=False),
        sa.Column("until_ms", sa.BigInteger, nullable=False),
    )
