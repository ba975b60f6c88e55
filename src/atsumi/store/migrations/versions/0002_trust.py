"""Schedules, sync modes, deletion with evidence, history and stored files."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PARTITIONS = 64

STATEMENTS = """
ALTER TABLE integration
    ADD COLUMN full_interval_seconds integer NOT NULL DEFAULT 86400 CHECK (full_interval_seconds >= 60),
    ADD COLUMN incremental_interval_seconds integer NOT NULL DEFAULT 900 CHECK (incremental_interval_seconds >= 60),
    ADD COLUMN next_full_at timestamptz,
    ADD COLUMN next_incremental_at timestamptz,
    ADD COLUMN authentication_failing_since timestamptz,
    ADD COLUMN sync_mode text NOT NULL DEFAULT 'all'
        CHECK (sync_mode IN ('all', 'created_only', 'from_date', 'rolling_days')),
    ADD COLUMN sync_from_on date,
    ADD COLUMN sync_days integer CHECK (sync_days > 0),
    ADD COLUMN unsafe_fraction real NOT NULL DEFAULT 0.3 CHECK (unsafe_fraction > 0 AND unsafe_fraction <= 1),
    ADD COLUMN blank_after_days integer NOT NULL DEFAULT 14 CHECK (blank_after_days >= 0),
    ADD COLUMN history_days integer NOT NULL DEFAULT 30 CHECK (history_days >= 0);
CREATE INDEX integration_next_full ON integration (next_full_at) WHERE deleted_at IS NULL AND state = 'ACTIVE';
CREATE INDEX integration_next_incremental ON integration (next_incremental_at)
    WHERE deleted_at IS NULL AND state = 'ACTIVE';

ALTER TABLE sync_run
    ADD COLUMN requested_by text NOT NULL DEFAULT 'operator'
        CHECK (requested_by IN ('connect', 'schedule', 'api', 'operator', 'background')),
    ADD COLUMN priority smallint NOT NULL DEFAULT 0,
    ADD COLUMN cancel_requested_at timestamptz;
ALTER TABLE sync_run DROP CONSTRAINT sync_run_kind_check;
ALTER TABLE sync_run ADD CONSTRAINT sync_run_kind_check CHECK (kind IN ('full', 'incremental', 'background', 'remap'));

ALTER TABLE stream_watermark ADD COLUMN position text;
COMMENT ON COLUMN stream_watermark.position IS
    'How far a background stream has followed its drivers within the pass that is under way';

ALTER TABLE record ADD COLUMN blanked_at timestamptz;
CREATE INDEX record_deleted ON record (integration, deleted_at)
    WHERE deleted_at IS NOT NULL AND blanked_at IS NULL;

CREATE TABLE seen_page (
    run_id uuid NOT NULL REFERENCES sync_run ON DELETE CASCADE,
    stream text NOT NULL,
    page bigint NOT NULL,
    remote_ids text[] NOT NULL,
    PRIMARY KEY (run_id, stream, page)
);
COMMENT ON TABLE seen_page IS
    'Which records a full listing has shown, a row per page; kept until the listing has been compared with the store';

CREATE TABLE suspicion (
    integration bigint NOT NULL REFERENCES integration,
    stream text COLLATE "C" NOT NULL,
    remote_id text COLLATE "C" NOT NULL,
    run_id uuid NOT NULL,
    suspected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, stream, remote_id)
);
COMMENT ON TABLE suspicion IS 'Records that one complete full listing did not show, and which run that was';

CREATE TABLE deletion_evidence (
    integration bigint NOT NULL REFERENCES integration,
    stream text COLLATE "C" NOT NULL,
    remote_id text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('probe', 'second_sweep', 'operator', 'mode')),
    suspected_by uuid,
    confirmed_by uuid,
    detail text NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, stream, remote_id, confirmed_at)
);

CREATE TABLE unsafe_change (
    id uuid PRIMARY KEY,
    integration bigint NOT NULL REFERENCES integration,
    run_id uuid NOT NULL,
    stream text NOT NULL,
    stored bigint NOT NULL,
    missing text[] NOT NULL,
    pages bigint NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'CONFIRMED', 'DISCARDED', 'SUPERSEDED')),
    found_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz
);
CREATE UNIQUE INDEX unsafe_change_one_pending ON unsafe_change (integration, stream) WHERE state = 'PENDING';

CREATE TABLE stored_file (
    integration bigint NOT NULL REFERENCES integration,
    attachment_id uuid NOT NULL,
    path text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, attachment_id)
);
"""

PARTITIONED = {
    "record_version": """
        integration bigint NOT NULL,
        model smallint NOT NULL,
        id uuid NOT NULL,
        seq bigint NOT NULL,
        valid_from timestamptz NOT NULL,
        deleted_at timestamptz,
        data bytea NOT NULL,
        PRIMARY KEY (integration, model, id, seq)
    """,
}


def upgrade() -> None:
    """Add everything in one transaction."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table, columns in PARTITIONED.items():
        op.execute(f"CREATE TABLE {table} ({columns}) PARTITION BY HASH (integration)")
        for part in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_{part:02} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )


def downgrade() -> None:
    """Restore a backup instead: history and evidence would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
