"""Runs that only render documents, for integrations that are older than a surface."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs that are open compute everything, as they were requested to."""
    op.execute("ALTER TABLE sync_run ADD COLUMN only_documents boolean NOT NULL DEFAULT false")
    op.execute(
        "COMMENT ON COLUMN sync_run.only_documents IS 'A remap that renders documents and computes nothing else'"
    )


def downgrade() -> None:
    """Restore a backup instead."""
    raise NotImplementedError("restore a backup taken before the upgrade")
