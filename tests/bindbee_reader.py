"""Reading a connected account through the Bindbee surface, and writing records that no simulated tool has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from atsumi.connector.contract import Built, Group
from atsumi.dialects.bindbee.lists import LISTS
from atsumi.model.ids import record_id
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.store import records as store
from atsumi.store.connector_tokens import issue_token, owner_of
from atsumi.store.records import Owner
from atsumi.sync.changes import apply_groups
from atsumi.sync.render import render_changes
from harness import Account

NAMES = tuple(spec.name for spec in LISTS)


@dataclass
class Bindbee:
    """One account behind its connector token."""

    account: Account
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.key}", "x-connector-token": self.token}

    def id(self, model: Model, remote_id: str) -> str:
        """Our id of a record, as this surface spells it."""
        return str(record_id(self.account.integration.public_id, model, remote_id))

    async def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: Any) -> httpx2.Response:
        """One request below ``/api/ats/v1``, in this process."""
        url = f"/api/ats/v1/{path}"
        return await self.account.product.api.get(url, params=params, headers=headers or self.headers)

    async def read(self, path: str, **params: Any) -> Any:
        answer = await self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, name: str, **params: Any) -> list[dict[str, Any]]:
        """A whole list, all pages."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.read(name, **({"page_size": 200} | params), **cursor)
            assert page["page_size"] == len(page["items"])
            found += page["items"]
            if page["cursor"] is None:
                return found
            cursor = {"cursor": page["cursor"]}

    async def remote_ids(self, name: str, **params: Any) -> set[str]:
        return {row["remote_id"] for row in await self.rows(name, **params)}

    async def documents(self, **params: Any) -> dict[str, dict[str, dict[str, Any]]]:
        """Every list whole, by remote id."""
        return {name: {row["remote_id"]: row for row in await self.rows(name, **params)} for name in NAMES}

    async def write(self, records: Sequence[Record], *, gone: Collection[Record] = ()) -> None:
        """Store records as a sync would, each in a group of its own, in one transaction; ``gone`` are deleted."""
        account = self.account
        built = {Group(one.model, one.remote_id): Built((one,)) for one in records}
        built |= {Group(one.model, one.remote_id): Built(()) for one in gone}
        async with account.pool.acquire() as connection, connection.transaction():
            token = await connection.fetchval("SELECT token FROM clock WHERE integration = $1", account.number)
            owner = Owner(account.number, token)
            tick = await store.take_clock(connection, owner)
            id = account.integration.public_id
            changes = await apply_groups(connection, owner, tick, id, built, ())
            await render_changes(connection, owner, id, account.runtime.projections, changes)
        await store.note_visible(account.pool, account.number)


async def bindbee_of(account: Account) -> Bindbee:
    """The account as its connector token shows it."""
    owner = owner_of(account.environment.id, account.integration.public_id)
    async with account.pool.acquire() as connection:
        token = await issue_token(connection, account.runtime.vault, account.number, owner, keeps_old=True)
    return Bindbee(account, token)
