"""Normalised tables in the schema ``bench``, and the two tables of the product that say who may read."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

SCHEMA = "bench"


class Base(DeclarativeBase):
    """Types that all tables share."""

    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB}  # noqa: RUF012 -- SQLAlchemy's own declaration


class Candidate(Base):
    __tablename__ = "candidate"
    __table_args__ = {"schema": SCHEMA}  # noqa: RUF012 -- SQLAlchemy's own declaration

    id: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str | None]
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    source: Mapped[str | None]
    remote_url: Mapped[str | None]
    tags: Mapped[list[Any]]
    email_addresses: Mapped[list[Any]]
    phone_numbers: Mapped[list[Any]]
    social_media: Mapped[list[Any]]


class Stage(Base):
    __tablename__ = "stage"
    __table_args__ = {"schema": SCHEMA}  # noqa: RUF012 -- SQLAlchemy's own declaration

    id: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str | None]
    name: Mapped[str | None]
    status: Mapped[str | None]
    custom_fields: Mapped[dict[str, Any]]
    index: Mapped[int | None]


class Job(Base):
    __tablename__ = "job"
    __table_args__ = {"schema": SCHEMA}  # noqa: RUF012 -- SQLAlchemy's own declaration

    id: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str | None]
    name: Mapped[str | None]


class Application(Base):
    __tablename__ = "application"

    id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[UUID]
    remote_id: Mapped[str | None]
    outcome: Mapped[str | None]
    rejection_reason_name: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    current_stage_id: Mapped[str | None] = mapped_column(ForeignKey(Stage.id))
    job_id: Mapped[str | None] = mapped_column(ForeignKey(Job.id))
    candidate_id: Mapped[str | None] = mapped_column(ForeignKey(Candidate.id))
    screening_question_answers: Mapped[list[Any]]
    custom_fields: Mapped[dict[str, Any]]
    integration_fields: Mapped[list[Any]]
    remote_url: Mapped[str | None]
    changed_at: Mapped[datetime]
    remote_deleted_at: Mapped[datetime | None]
    remote_created_at: Mapped[datetime | None]
    remote_updated_at: Mapped[datetime | None]

    candidate: Mapped[Candidate | None] = relationship(lazy="raise")
    current_stage: Mapped[Stage | None] = relationship(lazy="raise")
    job: Mapped[Job | None] = relationship(lazy="raise")

    __table_args__ = (Index("application_order", "integration_id", "changed_at", "id"), {"schema": SCHEMA})


class Access(DeclarativeBase):
    """The product's own tables, read only."""


class ApiKey(Access):
    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    environment_id: Mapped[UUID]
    digest: Mapped[bytes]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Integration(Access):
    __tablename__ = "integration"

    number: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID]
    environment_id: Mapped[UUID]
    state: Mapped[str]
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
