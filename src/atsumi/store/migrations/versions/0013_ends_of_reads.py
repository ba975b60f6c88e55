"""Streams that need not be read stay fresh, and runs may end because they took too long."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE stream_watermark ADD COLUMN settled_from timestamptz",
    """
    COMMENT ON COLUMN stream_watermark.settled_from IS
        'Start of the last run in which nothing of the stream was to be read: fresh since then, but not read'
    """,
    "ALTER TABLE sync_run DROP CONSTRAINT sync_run_state_check",
    """
    ALTER TABLE sync_run ADD CONSTRAINT sync_run_state_check CHECK (state IN (
        'QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIALLY_FAILED', 'FAILED', 'AUTHENTICATION_FAILED', 'CANCELLED',
        'TIMED_OUT'))
    """,
)


def upgrade() -> None:
    """Add the column and the state."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Restore a backup instead: runs that timed out have no state in the older version."""
    raise NotImplementedError("restore a backup taken before the upgrade")
