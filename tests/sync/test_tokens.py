"""Access tokens: fetched once however many need one, renewed when the tool ends one."""

from __future__ import annotations

import pytest

from asking_kit import askers, order, served_account
from atsumi.connectors.personio.client import PersonioClient
from atsumi.server.runtime import Runtime
from atsumi.sync.page import PageResult
from harness import Account, Product, small_company


def token_requests(account: Account) -> int:
    return account.simulator.log.counts["POST /v2/auth/token"]


async def ask(runtime: Runtime, account: Account) -> None:
    await PersonioClient(await runtime.context(account.integration)).categories()


@pytest.mark.parametrize("is_known_to_be_over", [True, False])
async def test_fifty_tasks_of_two_processes_with_a_dead_token_ask_for_one(
    product: Product, is_known_to_be_over: bool
) -> None:
    """Whether it has expired, or the tool has ended it before its time."""
    async with served_account(product, small_company()) as account:
        await ask(product.runtime, account)
        account.simulator.revoke_tokens()
        if is_known_to_be_over:
            await account.pool.execute(
                "UPDATE access_token SET expires_at = now() WHERE integration = $1", account.number
            )
        account.simulator.log.clear()

        async with askers(*[await order(account, "categories", 25)] * 2) as processes:
            for process in processes:
                process.tell("go")
            assert [await process.hear() for process in processes] == ["done", "done"]

    assert token_requests(account) == 1
    answers = [entry.status for entry in account.simulator.log.entries if entry.path.endswith("/categories")]
    assert answers.count(200) == 50
    assert set(answers) == ({200} if is_known_to_be_over else {200, 401})


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
