"""Writes: their ledger, the files on their way to a tool, windows of requests, default sources, stand-in ids."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE integration ADD COLUMN default_source text;
COMMENT ON COLUMN integration.default_source IS
    'Remote id of the source that created applications carry unless their caller names another one';

CREATE TABLE action (
    id uuid PRIMARY KEY,
    integration bigint NOT NULL REFERENCES integration,
    kind text NOT NULL,
    surface text NOT NULL,
    key_digest bytea,
    request_digest bytea NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'RUNNING', 'UNKNOWN', 'SUCCEEDED', 'FAILED')),
    is_deferred boolean NOT NULL DEFAULT false,
    token bigint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz,
    next_at timestamptz,
    ended_at timestamptz,
    sealed_draft bytea,
    sealed_outcome bytea,
    sealed_answer bytea,
    application_id uuid,
    candidate_id uuid,
    error_kind text
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX action_one_per_key ON action (integration, key_digest) WHERE key_digest IS NOT NULL;
CREATE INDEX action_request ON action (integration, request_digest, created_at) WHERE key_digest IS NULL;
CREATE INDEX action_open ON action (integration) WHERE ended_at IS NULL;
CREATE INDEX action_due ON action (coalesce(next_at, heartbeat_at), id) WHERE sealed_draft IS NOT NULL;
CREATE INDEX action_running ON action (heartbeat_at) WHERE state = 'RUNNING';
CREATE INDEX action_list ON action (integration, created_at, id);
CREATE INDEX action_content ON action (integration, ended_at)
    WHERE sealed_answer IS NOT NULL OR sealed_outcome IS NOT NULL OR key_digest IS NOT NULL;
COMMENT ON TABLE action IS 'One intended write each: what a caller wants, how far it is, and what came of it';
COMMENT ON COLUMN action.key_digest IS 'Digest of the caller''s idempotency key; null where there was none';
COMMENT ON COLUMN action.request_digest IS 'Digest of surface, kind and input: equal for equal requests';
COMMENT ON COLUMN action.is_deferred IS 'Nobody waits for it: it is carried on by the engine until it has ended';
COMMENT ON COLUMN action.token IS 'Fencing token of whoever carries it out';
COMMENT ON COLUMN action.next_at IS
    'When the engine carries it on; null while somebody does, when it has ended, and while it waits for its caller';
COMMENT ON COLUMN action.sealed_draft IS 'Envelope over the input; removed when the action has ended';
COMMENT ON COLUMN action.sealed_outcome IS 'Envelope over what came of it: warnings, or the error';
COMMENT ON COLUMN action.sealed_answer IS 'Envelope over the first answer to the caller, to be given again';
COMMENT ON COLUMN action.error_kind IS 'Class of the error it ended with or met last; outlives the outcome';

CREATE TABLE action_step (
    action uuid NOT NULL REFERENCES action ON DELETE CASCADE,
    name text NOT NULL,
    is_done boolean NOT NULL,
    sealed_result bytea,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (action, name)
);
COMMENT ON COLUMN action_step.is_done IS 'False: the tool was about to be asked, and what came of it is not known';

CREATE TABLE action_file (
    action uuid NOT NULL REFERENCES action ON DELETE CASCADE,
    ordinal integer NOT NULL,
    part integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (action, ordinal, part)
);
ALTER TABLE action_file ALTER COLUMN sealed SET STORAGE EXTERNAL;
COMMENT ON TABLE action_file IS 'Files on their way to a tool, in parts, each an envelope; removed when it has them';

CREATE TABLE rate_window (
    key text PRIMARY KEY,
    taken timestamptz[] NOT NULL DEFAULT '{}',
    blocked_until timestamptz
) WITH (fillfactor = 50);
COMMENT ON COLUMN rate_window.taken IS
    'When the last requests were or will be sent, oldest first; those in the future are reserved';

CREATE TABLE record_alias (
    integration bigint NOT NULL REFERENCES integration,
    model smallint NOT NULL,
    id uuid NOT NULL,
    record_id uuid NOT NULL,
    PRIMARY KEY (integration, model, id)
);
COMMENT ON TABLE record_alias IS
    'Ids that were given out before the tool had shown the record, and the record that it turned out to be'
"""


def upgrade() -> None:
    """Add everything in one transaction."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Restore a backup instead: what a tool was asked to write would be forgotten, and could be written twice."""
    raise NotImplementedError("restore a backup taken before the upgrade")
