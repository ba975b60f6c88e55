"""The competitor's process: `python -m benchmarks.competitor.server DATABASE_URL`."""

# No `from __future__ import annotations`: FastAPI could not resolve the names of types that are local to a function.
import base64
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Query
from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from atsumi.model.ids import from_base58
from benchmarks.competitor.schemas import AnswerOut
from benchmarks.competitor.tables import ApiKey, Application, Integration
from benchmarks.serving import run


def cursor_after(changed_at: datetime, id: str) -> str:
    """The cursor that continues after this application."""
    return base64.urlsafe_b64encode(f"{changed_at.isoformat()} {id}".encode()).decode()


def create_app(database_url: str) -> FastAPI:
    """The application, with a pool as large as the product's."""
    engine = create_async_engine(
        database_url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=10,
        max_overflow=0,
        connect_args={"server_settings": {"jit": "off"}},
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    app = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    Session = Annotated[AsyncSession, Depends(session)]

    async def integration(
        session: Session,
        authorization: Annotated[str, Header()],
        x_integration_id: Annotated[str, Header()],
    ) -> Integration:
        digest = sha256(authorization.removeprefix("Bearer ").encode()).digest()
        key = await session.scalar(select(ApiKey).where(ApiKey.digest == digest, ApiKey.revoked_at.is_(None)))
        if key is None or (key.expires_at is not None and key.expires_at <= datetime.now(UTC)):
            raise HTTPException(401, "unknown API key")
        found = await session.scalar(
            select(Integration).where(
                Integration.public_id == from_base58(x_integration_id.partition(":")[2]),
                Integration.environment_id == key.environment_id,
                Integration.deleted_at.is_(None),
            )
        )
        if found is None:
            raise HTTPException(404, "unknown integration")
        return found

    @app.get("/v1/ats/applications", response_model=AnswerOut)
    async def applications(
        session: Session,
        integration: Annotated[Integration, Depends(integration)],
        page_size: Annotated[int, Query(ge=1, le=250)] = 100,
        cursor: str | None = None,
    ) -> Any:
        query = (
            select(Application)
            .where(Application.integration_id == integration.public_id, Application.remote_deleted_at.is_(None))
            .order_by(Application.changed_at, Application.id)
            .limit(page_size + 1)
            .options(
                joinedload(Application.candidate),
                selectinload(Application.job),
                selectinload(Application.current_stage),
            )
        )
        if cursor is not None:
            instant, _, id = base64.urlsafe_b64decode(cursor).decode().partition(" ")
            query = query.where(tuple_(Application.changed_at, Application.id) > (datetime.fromisoformat(instant), id))
        rows = list(await session.scalars(query))
        shown = rows[:page_size]
        following = cursor_after(shown[-1].changed_at, shown[-1].id) if len(rows) > page_size else None
        return {"status": "success", "data": {"next": following, "results": shown}}

    return app


def main() -> None:
    """Serve until terminated."""
    run(create_app(sys.argv[1]))


if __name__ == "__main__":
    main()
