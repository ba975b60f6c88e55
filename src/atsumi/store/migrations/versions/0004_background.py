"""Background streams and their pauses, and what keeps a file from being stored."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE stream_watermark ALTER COLUMN complete_from DROP NOT NULL;
ALTER TABLE stream_watermark ADD COLUMN refresh_at timestamptz, ADD COLUMN paused_until timestamptz;
COMMENT ON COLUMN stream_watermark.complete_from IS 'Null until the stream was read completely for the first time';
COMMENT ON COLUMN stream_watermark.refresh_at IS 'When the background fetches everything of the stream again';
COMMENT ON COLUMN stream_watermark.paused_until IS 'The background leaves the stream alone until then: it was refused';

CREATE TABLE file_attempt (
    integration bigint NOT NULL REFERENCES integration,
    attachment_id uuid NOT NULL,
    attempts integer NOT NULL,
    reason text NOT NULL,
    retry_at timestamptz,
    PRIMARY KEY (integration, attachment_id)
);
COMMENT ON COLUMN file_attempt.retry_at IS 'Null once it was given up';
"""


def upgrade() -> None:
    """Add everything in one transaction."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Restore a backup instead: where background streams stand would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
