"""When each document was last changed or linked anew, for the surface that shows it and filters by it."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Documents that exist are as old as the upgrade: readers of the first surface are not shown the column."""
    op.execute("ALTER TABLE fragment ADD COLUMN touched_at timestamptz NOT NULL DEFAULT now()")
    op.execute("COMMENT ON COLUMN fragment.touched_at IS 'instant of the batch that touched_seq belongs to'")


def downgrade() -> None:
    """Restore a backup instead: the instants would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
