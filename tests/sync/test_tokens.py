"""Access tokens: fetched once however many need one, renewed when the tool ends one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from atsumi.connectors.personio.client import PersonioClient
from atsumi.server.runtime import Runtime
from atsumi.store import database
from atsumi.sync.page import PageResult
from harness import Account, Product, small_company


def token_requests(account: Account) -> int:
    return account.simulator.log.counts["POST /v2/auth/token"]


async def ask(runtime: Runtime, account: Account) -> None:
    await PersonioClient(await runtime.context(account.integration)).categories()


async def test_fifty_tasks_of_two_processes_with_an_expired_token_ask_for_one(product: Product) -> None:
    account = await product.synced(small_company())
    account.simulator.revoke_tokens()
    await account.pool.execute("UPDATE access_token SET expires_at = now() WHERE integration = $1", account.number)
    account.simulator.log.clear()
    # What two processes share is the database, and nothing else.
    pools = [await database.connect(product.runtime.database_url, size=4) for _ in range(2)]
    processes = [replace(product.runtime, pool=pool, light_pool=pool, tokens={}) for pool in pools]
    try:
        await asyncio.gather(*(ask(processes[number % 2], account) for number in range(50)))
    finally:
        for pool in pools:
            await database.close(pool)

    assert token_requests(account) == 1
    assert account.simulator.log.counts["GET /v2/recruiting/categories"] == 50


async def test_fifty_tasks_with_a_token_that_was_revoked_ask_for_one(product: Product) -> None:
    account = await product.synced(small_company())
    account.simulator.revoke_tokens()
    account.simulator.log.clear()

    await asyncio.gather(*(ask(product.runtime, account) for _ in range(50)))

    assert token_requests(account) == 1


async def test_a_token_revoked_in_the_middle_is_renewed_once_and_the_sync_goes_on(product: Product) -> None:
    account = await product.connect(small_company())

    def revoke(stream: str, result: PageResult) -> None:
        if stream == "candidates":
            account.simulator.revoke_tokens()
            account.simulator.log.clear()

    run = await account.sync("full", observe=revoke, prefetch=1)

    assert run.state == "SUCCEEDED", run.message
    assert token_requests(account) == 1
    assert await account.remote_ids("applications") == {
        one["id"] for one in account.simulator.state("applications")["applications"]
    }


async def test_no_sync_asks_for_a_token_while_the_last_one_lives(product: Product) -> None:
    account = await product.synced(small_company())
    account.simulator.log.clear()
    for kind in ("incremental", "full"):
        assert (await account.sync(kind)).state == "SUCCEEDED"
    product.runtime.tokens.clear()
    assert (await account.sync()).state == "SUCCEEDED"
    assert token_requests(account) == 0


async def test_a_stored_token_cannot_be_read_out_of_the_database(product: Product) -> None:
    account = await product.synced(small_company())
    [token] = account.simulator.tokens._tokens
    secret = account.simulator.credentials()["client_secret"]
    for table in ("access_token", "credential"):
        for row in await account.fetch(f"SELECT sealed FROM {table} WHERE integration = $1"):  # noqa: S608 -- a table name of ours
            assert token.encode() not in row["sealed"]
            assert secret.encode() not in row["sealed"]
