"""Listings that a tool last refused, for the commands that tell how an integration is."""

from __future__ import annotations

from collections.abc import Mapping

from atsumi.server.runtime import Runtime
from atsumi.store.outcomes import latest_outcomes
from atsumi.store.tenants import IntegrationRow


async def unread_listings(runtime: Runtime, integration: IntegrationRow) -> Mapping[str, str]:
    """What could not be read when it was last tried: by stream, why, and who acts next. In reading order.

    The background is included, whose runs nobody waits for. What is out of scope is not.
    """
    shape = (await runtime.target(integration)).shape
    names = [one.name for one in runtime.connector(integration.tool).streams if shape.requests(one.name)]
    found = await latest_outcomes(runtime.pool, integration.number, names)
    return {
        name: found[name].message or found[name].state.lower()
        for name in names
        if name in found and found[name].state != "COMPLETE"
    }
