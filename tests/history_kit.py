"""An integration whose records are written by hand, through the same code as a sync's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from atsumi.connector.contract import Built, Group
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model
from atsumi.model.note import Note
from atsumi.store import records, tenants
from atsumi.store.records import Owner
from atsumi.store.tenants import IntegrationRow
from atsumi.store.vault import Vault
from atsumi.sync.changes import Change, apply_groups
from harness import Product


@dataclass
class Notebook:
    """An integration that holds notes."""

    product: Product
    integration: IntegrationRow
    key: str

    @property
    def number(self) -> int:
        return self.integration.number

    def id(self, name: str) -> UUID:
        return record_id(self.integration.public_id, Model.NOTE, name)

    async def write(self, contents: Mapping[str, str | None]) -> Sequence[Change]:
        """Give notes these titles in one transaction; ``None`` deletes."""
        built = {
            Group(Model.NOTE, name): Built(
                [Note(remote_id=name, title=title, candidate_remote_id="7")] if title is not None else []
            )
            for name, title in contents.items()
        }
        owner = Owner(self.number, 0)
        async with self.product.runtime.pool.acquire() as connection, connection.transaction():
            tick = await records.take_clock(connection, owner)
            return await apply_groups(connection, owner, tick, self.integration.public_id, built, ())

    async def keep_history(self, days: int) -> None:
        await self.product.runtime.pool.execute(
            "UPDATE integration SET history_days = $2 WHERE number = $1", self.number, days
        )

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> httpx2.Response:
        """One request below ``/atsumi/v1``."""
        sent = {name: str(value) for name, value in params.items()}
        return await self.product.api.get(f"/atsumi/v1{path}", params=sent or None, headers=headers or self.headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "X-Integration-Id": self.integration.id}

    async def read(self, path: str, **params: Any) -> dict[str, Any]:
        answer = await self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def note(self, name: str) -> str:
        return f"/records/note/{to_base58(self.id(name))}"


async def new_notebook(product: Product) -> Notebook:
    environment, key = await product.environment()
    row = await tenants.create_integration(
        product.runtime.pool,
        Vault([b"k" * 32]),
        environment_id=environment.id,
        tool="personio",
        organization_name="Notes",
        credentials={},
        config={},
    )
    return Notebook(product, row, key)
