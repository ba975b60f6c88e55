"""Alembic's entry point. The connection is handed over by :func:`atsumi.store.database.migrate`."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("run migrations with `atsumi migrate`, which holds the lock that keeps two runs apart")

context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
