"""What a scope leaves out is told as such, and a remap knows for which shape it was begun."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE deletion_evidence DROP CONSTRAINT deletion_evidence_kind_check;
ALTER TABLE deletion_evidence ADD CONSTRAINT deletion_evidence_kind_check
    CHECK (kind IN ('probe', 'second_sweep', 'snapshot', 'operator', 'mode', 'scope'));

ALTER TABLE sync_run ADD COLUMN shape_version bigint;
COMMENT ON COLUMN sync_run.shape_version IS
    'Of a remap: the integration''s shape_version when it was begun, to which it brings all records'
"""


def upgrade() -> None:
    """Add everything in one transaction."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Restore a backup instead: evidence would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
