"""What a listing left unproven, snapshots as evidence, and applications created through us."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE sync_run_stream ADD COLUMN is_unproven boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sync_run_stream.is_unproven IS
    'A page of the listing left open whether all records were shown: nothing may be inferred from missing ones';

ALTER TABLE deletion_evidence DROP CONSTRAINT deletion_evidence_kind_check;
ALTER TABLE deletion_evidence ADD CONSTRAINT deletion_evidence_kind_check
    CHECK (kind IN ('probe', 'second_sweep', 'snapshot', 'operator', 'mode'));

CREATE INDEX raw_record_gone ON raw_record (integration, gone_at) WHERE gone_at IS NOT NULL AND hash <> '';
COMMENT ON COLUMN raw_record.hash IS 'Digest of the content; empty once that was erased, so that no content equals it';

CREATE TABLE created_application (
    integration bigint NOT NULL REFERENCES integration,
    remote_id text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, remote_id)
);
COMMENT ON TABLE created_application IS
    'Applications that were created through our API: all that the created-only mode keeps';
"""


def upgrade() -> None:
    """Add everything in one transaction."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Restore a backup instead: evidence would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
