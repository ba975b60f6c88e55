"""Whose request budget a call to a tool uses, and which kind it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from atsumi.connector.context import Limit, RateLimit, WindowLimit
from atsumi.connector.manifest import Manifest
from atsumi.store.tokens import SharedBuckets
from atsumi.store.vault import Vault
from atsumi.store.windows import SharedWindows


@dataclass(frozen=True, slots=True)
class Budgets:
    """The budgets that one integration's calls use: a :class:`~atsumi.connector.context.RateLimiter`.

    ``keys`` are those of the shared rows by bucket, for every bucket of the manifest.
    """

    keys: Mapping[str, str]
    buckets: SharedBuckets
    windows: SharedWindows

    async def acquire(self, bucket: str, limit: Limit) -> None:
        """See :class:`~atsumi.connector.context.RateLimiter`."""
        if isinstance(limit, WindowLimit):
            await self.windows.acquire(self.keys[bucket], limit)
        else:
            await self.buckets.acquire(self.keys[bucket], limit)

    async def expected_wait(self, bucket: str, limit: Limit) -> float:
        """See :class:`~atsumi.connector.context.RateLimiter`."""
        if isinstance(limit, WindowLimit):
            return await self.windows.expected_wait(self.keys[bucket], limit)
        return await self.buckets.expected_wait(self.keys[bucket])

    async def learn(self, bucket: str, limit: RateLimit, remaining: int | None) -> None:
        """See :class:`~atsumi.connector.context.RateLimiter`."""
        await self.buckets.learn(self.keys[bucket], limit, remaining)

    async def block(self, bucket: str, until: datetime) -> None:
        """See :class:`~atsumi.connector.context.RateLimiter`."""
        # A bucket has a row in one of both; where it has none, nothing is done.
        await self.buckets.block(self.keys[bucket], until)
        await self.windows.block(self.keys[bucket], until)


def budget_keys(manifest: Manifest, vault: Vault, owner: str, values: Mapping[str, str]) -> dict[str, str]:
    """Under which key each bucket is shared, by bucket.

    A budget belongs to what the manifest counts it ``per``, else to the credential, in whichever integrations these
    values stand; keys hold a keyed digest of them. Where ``values`` say neither, it belongs to ``owner``.
    """
    account = tuple(field.name for field in manifest.fields if field.is_account)
    secret = vault.derive("budget")

    def owned_by(names: Sequence[str]) -> str | None:
        named = [values.get(name, "") for name in names]
        if not any(named):
            return None
        digest = blake2b("\x1f".join((manifest.slug, *named)).encode(), digest_size=16, key=secret)
        return f"{manifest.slug}/{digest.hexdigest()}"

    return {
        name: f"{owned_by(budget.per) or owned_by(account) or owner}/{name}"
        for name, budget in manifest.rate_limits.items()
    }
