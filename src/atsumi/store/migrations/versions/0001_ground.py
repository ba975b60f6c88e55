"""The ground: tenants, raw and canonical records, change log, wire fragments, sync runs.

Record tables are hash-partitioned by integration from the start, since that cannot be added later without a copy.
The integration comes first in every key. Columns that order or range over text are ``COLLATE "C"``, because an
operator's server may have any collation.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONS = 64

TABLES = """
CREATE TABLE environment (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_key (
    id uuid PRIMARY KEY,
    environment_id uuid NOT NULL REFERENCES environment,
    name text NOT NULL,
    hint text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON COLUMN api_key.digest IS 'SHA-256 of the key; the key itself is shown once and never stored';

CREATE TABLE integration (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id uuid NOT NULL UNIQUE,
    environment_id uuid NOT NULL REFERENCES environment,
    tool text NOT NULL,
    state text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'INVALID', 'INACTIVE')),
    state_reason text,
    account_id text,
    end_user_organization_name text NOT NULL,
    end_user_email text,
    end_user_origin_id text,
    config jsonb NOT NULL DEFAULT '{}',
    remote_data_enabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    first_synced_at timestamptz,
    deleted_at timestamptz
);
CREATE INDEX integration_environment ON integration (environment_id, number);

CREATE TABLE credential (
    integration bigint PRIMARY KEY REFERENCES integration,
    sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN credential.sealed IS 'AES-256-GCM envelope over the JSON of all secret fields';

CREATE TABLE access_token (
    credential_key text PRIMARY KEY,
    integration bigint NOT NULL,
    sealed bytea,
    expires_at timestamptz
) WITH (fillfactor = 50);

CREATE TABLE rate_bucket (
    key text PRIMARY KEY,
    tokens double precision NOT NULL,
    per_second double precision NOT NULL,
    burst integer NOT NULL,
    refilled_at timestamptz NOT NULL,
    blocked_until timestamptz
) WITH (fillfactor = 50);

CREATE TABLE clock (
    integration bigint PRIMARY KEY REFERENCES integration,
    token bigint NOT NULL DEFAULT 0,
    seq bigint NOT NULL DEFAULT 0,
    batch bigint NOT NULL DEFAULT 0,
    stamped_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
COMMENT ON TABLE clock IS
    'One row per integration. Its lock orders commits: whoever writes records holds it until commit.';
COMMENT ON COLUMN clock.token IS 'fencing token of the present owner of the sync';

CREATE TABLE sync_run (
    id uuid PRIMARY KEY,
    integration bigint NOT NULL REFERENCES integration,
    kind text NOT NULL CHECK (kind IN ('full', 'incremental')),
    state text NOT NULL DEFAULT 'QUEUED' CHECK (state IN (
        'QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIALLY_FAILED', 'FAILED', 'AUTHENTICATION_FAILED', 'CANCELLED')),
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    heartbeat_at timestamptz,
    ended_at timestamptz,
    message text
) WITH (fillfactor = 50);
CREATE INDEX sync_run_integration ON sync_run (integration, requested_at);
CREATE INDEX sync_run_due ON sync_run (next_at) WHERE state IN ('QUEUED', 'RUNNING');
CREATE UNIQUE INDEX sync_run_one_open ON sync_run (integration, kind) WHERE state = 'QUEUED';
CREATE UNIQUE INDEX sync_run_one_running ON sync_run (integration) WHERE state = 'RUNNING';

CREATE TABLE sync_run_stream (
    run_id uuid NOT NULL REFERENCES sync_run ON DELETE CASCADE,
    stream text NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'READING', 'COMPLETE', 'FAILED', 'SKIPPED')),
    since timestamptz,
    position text,
    pages bigint NOT NULL DEFAULT 0,
    records_seen bigint NOT NULL DEFAULT 0,
    records_changed bigint NOT NULL DEFAULT 0,
    issues bigint NOT NULL DEFAULT 0,
    message text,
    PRIMARY KEY (run_id, stream)
) WITH (fillfactor = 50);

CREATE TABLE sync_issue (
    run_id uuid NOT NULL REFERENCES sync_run ON DELETE CASCADE,
    stream text NOT NULL,
    kind text NOT NULL,
    field text NOT NULL,
    detail text NOT NULL,
    occurrences bigint NOT NULL,
    sample_remote_id text NOT NULL,
    PRIMARY KEY (run_id, stream, kind, field, detail)
);

CREATE TABLE stream_watermark (
    integration bigint NOT NULL REFERENCES integration,
    stream text NOT NULL,
    complete_from timestamptz NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (integration, stream)
) WITH (fillfactor = 50);
COMMENT ON TABLE stream_watermark IS
    'Start of the last complete read of a stream, and the last batch whose raw records a lookup stream has followed';

CREATE TABLE source_link (
    integration bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    remote_id text COLLATE "C" NOT NULL,
    group_model smallint NOT NULL,
    group_key text COLLATE "C" NOT NULL,
    PRIMARY KEY (integration, stream, remote_id, group_model, group_key)
);
CREATE INDEX source_link_group ON source_link (integration, group_model, group_key);

CREATE TABLE commit_batch (
    integration bigint NOT NULL,
    batch bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    stamped_at timestamptz NOT NULL,
    visible_by timestamptz,
    PRIMARY KEY (integration, batch)
) WITH (fillfactor = 80);
CREATE INDEX commit_batch_visible ON commit_batch (integration, visible_by, last_seq);
COMMENT ON COLUMN commit_batch.visible_by IS
    'An instant at which the batch was certainly visible to every reader; null while that is not known';
"""

PARTITIONED = {
    "raw_record": """
        integration bigint NOT NULL,
        stream text COLLATE "C" NOT NULL,
        remote_id text COLLATE "C" NOT NULL,
        hash bytea NOT NULL,
        data bytea NOT NULL,
        batch bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        gone_at timestamptz,
        PRIMARY KEY (integration, stream, remote_id)
    """,
    "record": """
        integration bigint NOT NULL,
        model smallint NOT NULL,
        id uuid NOT NULL,
        group_id uuid,
        remote_id text COLLATE "C" NOT NULL,
        hash bytea NOT NULL,
        data bytea NOT NULL,
        seq bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        deleted_at timestamptz,
        remote_created_at timestamptz,
        keys uuid[] NOT NULL,
        facets jsonb,
        PRIMARY KEY (integration, model, id)
    """,
    "fragment": """
        integration bigint NOT NULL,
        dialect smallint NOT NULL,
        model smallint NOT NULL,
        id uuid NOT NULL,
        touched_seq bigint NOT NULL,
        is_deleted boolean NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (integration, dialect, model, id)
    """,
    "change": """
        integration bigint NOT NULL,
        seq bigint NOT NULL,
        model smallint NOT NULL,
        id uuid NOT NULL,
        kind smallint NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (integration, seq)
    """,
}

STORAGE = """
ALTER TABLE raw_record ALTER COLUMN data SET STORAGE MAIN;
ALTER TABLE record ALTER COLUMN data SET STORAGE MAIN;
ALTER TABLE fragment ALTER COLUMN body SET STORAGE EXTERNAL;
"""

INDEXES = """
CREATE INDEX record_keys ON record USING gin (keys) WITH (fastupdate = off);
CREATE INDEX record_group ON record (integration, group_id) WHERE group_id IS NOT NULL;
CREATE INDEX fragment_touched ON fragment (integration, dialect, model, touched_seq, id);
COMMENT ON COLUMN record.keys IS
    'ids of the records this one points at, and digests of its lookup terms: one index finds both';
COMMENT ON COLUMN record.group_id IS 'the group''s root record, where that is another record';
COMMENT ON COLUMN fragment.touched_seq IS 'sequence number of the last change that counts for updated_after';
"""


def upgrade() -> None:
    """Create everything in one transaction."""
    _run(TABLES)
    for table, columns in PARTITIONED.items():
        op.execute(f"CREATE TABLE {table} ({columns}) PARTITION BY HASH (integration)")
    _run(STORAGE)
    for table in PARTITIONED:
        # A fragment of about 3 KB must stay in its heap page: out of line it costs a second lookup per row.
        options = "(toast_tuple_target = 8160, fillfactor = 95)" if table == "fragment" else "(fillfactor = 95)"
        for part in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_{part:02} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part}) WITH {options}"
            )
    _run(INDEXES)


def _run(script: str) -> None:
    """Statements end with a semicolon at a line's end; the driver takes one at a time."""
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """There is nothing below the ground."""
    raise NotImplementedError("drop the database instead")
