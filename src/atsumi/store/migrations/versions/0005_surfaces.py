"""A second surface, and what customers shape themselves: scopes, custom fields, field mappings."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE fragment ADD COLUMN custom_fields bytea;
COMMENT ON COLUMN fragment.custom_fields IS
    'JSON object of custom fields, for dialects that show them only when asked; null where there are none';

CREATE TABLE integration_dialect (
    integration bigint NOT NULL REFERENCES integration,
    dialect smallint NOT NULL,
    completed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, dialect)
);
COMMENT ON TABLE integration_dialect IS
    'Dialects whose documents are complete for an integration and kept so by every sync';

CREATE TABLE connector_token (
    integration bigint PRIMARY KEY REFERENCES integration,
    digest bytea NOT NULL UNIQUE,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN connector_token.digest IS 'SHA-256 of the token';
COMMENT ON COLUMN connector_token.sealed IS 'AES-256-GCM envelope: the contract shows the token again and again';

CREATE UNLOGGED TABLE request_window (
    key text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    used integer NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE request_window IS
    'Requests of API callers in the present minute. Processes lease several at a time; a crash may forget a minute.';

CREATE TABLE scope_config (
    id uuid PRIMARY KEY,
    environment_id uuid NOT NULL REFERENCES environment,
    name text NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    settings jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (environment_id, name)
);
CREATE UNIQUE INDEX scope_config_default ON scope_config (environment_id) WHERE is_default;

ALTER TABLE integration
    ADD COLUMN scope_config_id uuid REFERENCES scope_config,
    ADD COLUMN opted_out jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN shape_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN shaped_version bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN integration.opted_out IS 'Optional models, fields and actions that the customer has declined';
COMMENT ON COLUMN integration.shape_version IS
    'Counts changes of scope, custom fields and mappings; records are computed anew until shaped_version equals it';

CREATE TABLE custom_field (
    id uuid PRIMARY KEY,
    environment_id uuid NOT NULL REFERENCES environment,
    model smallint NOT NULL,
    name text NOT NULL,
    label text,
    description text,
    origin text NOT NULL CHECK (origin IN ('API', 'OPERATOR')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (environment_id, model, name)
);

CREATE TABLE integration_field (
    integration bigint NOT NULL REFERENCES integration,
    model smallint NOT NULL,
    path text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    types text[] NOT NULL,
    records_seen bigint NOT NULL DEFAULT 0,
    is_passthrough boolean NOT NULL DEFAULT false,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, model, path),
    UNIQUE (integration, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE integration_field IS
    'Every field met in raw records, by the canonical model they feed; the empty path counts all records of a model';

CREATE TABLE custom_field_mapping (
    id uuid PRIMARY KEY,
    custom_field_id uuid NOT NULL REFERENCES custom_field ON DELETE CASCADE,
    tool text,
    integration bigint REFERENCES integration,
    path text,
    integration_field_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(tool, integration) = 1),
    CHECK (num_nonnulls(path, integration_field_id) = 1),
    UNIQUE (custom_field_id, tool),
    UNIQUE (custom_field_id, integration)
);
COMMENT ON TABLE custom_field_mapping IS
    'Where the value of a custom field comes from: for all integrations of a tool, or for one, which wins';

CREATE TABLE field_mapping (
    integration bigint NOT NULL REFERENCES integration,
    model smallint NOT NULL,
    field text NOT NULL,
    rule jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration, model, field)
);
COMMENT ON TABLE field_mapping IS 'Another source for a unified field of one integration than the connector''s own';
"""


def upgrade() -> None:
    """Add everything in one transaction. What there is shows complete documents of the first dialect."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute("INSERT INTO integration_dialect (integration, dialect) SELECT number, 1 FROM integration")


def downgrade() -> None:
    """Restore a backup instead: what customers have shaped would be lost."""
    raise NotImplementedError("restore a backup taken before the upgrade")
