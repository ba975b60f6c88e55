"""Discovered fields know whether the customer has defined them in the tool."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.execute("ALTER TABLE integration_field ADD COLUMN is_custom boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Restore a backup instead: the catalogue would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
