"""What waits for the operator is seen everywhere, probed beforehand; reads that were not proven are repeated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE unsafe_change
    ADD COLUMN listing text,
    ADD COLUMN as_of timestamptz,
    ADD COLUMN missing_count bigint GENERATED ALWAYS AS (cardinality(missing)) STORED,
    ADD COLUMN sample jsonb NOT NULL DEFAULT '{}';
UPDATE unsafe_change SET listing = stream;
ALTER TABLE unsafe_change ALTER COLUMN listing SET NOT NULL;
COMMENT ON COLUMN unsafe_change.listing IS 'The stream whose read has missed the records; it may feed others, too';
COMMENT ON COLUMN unsafe_change.as_of IS
    'Start of the last complete read that still showed them; null if there was none';
COMMENT ON COLUMN unsafe_change.sample IS 'What the tool said of some missing records, by remote id';

ALTER TABLE sync_run_stream ADD COLUMN has_gap boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sync_run_stream.has_gap IS 'The listing may have passed over records: the next read begins there too';

ALTER TABLE stream_watermark ADD COLUMN unproven_from timestamptz[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN stream_watermark.unproven_from IS
    'Starts of the newest reads that may have passed over records, oldest first; complete_from lies before them'
"""


def upgrade() -> None:
    """Add everything in one transaction, and fold the names by which jobs are found."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
    connection = op.get_bind()
    # Model 1 is the job; PostgreSQL before version 18 cannot fold case as Python does.
    named = sa.text(
        "SELECT integration, id, facets ->> 'name' FROM record WHERE model = 1 AND facets ->> 'name' IS NOT NULL"
    )
    fold = sa.text(
        """
        UPDATE record SET facets = jsonb_set(facets, '{name}', to_jsonb(CAST(:name AS text)))
        WHERE integration = :integration AND model = 1 AND id = :id
        """
    )
    for integration, id, name in connection.execute(named).all():
        if name != name.casefold():
            connection.execute(fold, {"integration": integration, "id": id, "name": name.casefold()})


def downgrade() -> None:
    """Restore a backup instead: evidence would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
