"""Which raw records a group of canonical records was computed from, where the raw record alone does not tell."""

from __future__ import annotations

from collections.abc import Iterable

from atsumi.store.records import Connection


async def links_from(connection: Connection, integration: int, keys: Iterable[tuple[str, str]]) -> set[tuple[int, str]]:
    """Groups, as (model, key), that read any of these raw records by a remembered link."""
    wanted = list(keys)
    rows = await connection.fetch(
        """
        SELECT DISTINCT l.group_model, l.group_key
        FROM unnest($2::text[], $3::text[]) AS k (stream, remote_id)
        JOIN source_link l ON l.integration = $1 AND l.stream = k.stream AND l.remote_id = k.remote_id
        """,
        integration,
        [stream for stream, _ in wanted],
        [remote_id for _, remote_id in wanted],
    )
    return {(row["group_model"], row["group_key"]) for row in rows}


async def replace_links(
    connection: Connection, integration: int, links: dict[tuple[int, str], set[tuple[str, str]]]
) -> None:
    """Remember the sources of groups, replacing what was remembered of the same groups."""
    for (model, key), sources in links.items():
        rows = await connection.fetch(
            "SELECT stream, remote_id FROM source_link WHERE integration = $1 AND group_model = $2 AND group_key = $3",
            integration,
            model,
            key,
        )
        stored = {(row["stream"], row["remote_id"]) for row in rows}
        if stored == sources:
            continue
        await connection.execute(
            "DELETE FROM source_link WHERE integration = $1 AND group_model = $2 AND group_key = $3",
            integration,
            model,
            key,
        )
        await connection.executemany(
            """
            INSERT INTO source_link (integration, stream, remote_id, group_model, group_key)
            VALUES ($1, $2, $3, $4, $5)
            """,
            [(integration, stream, remote_id, model, key) for stream, remote_id in sorted(sources)],
        )
