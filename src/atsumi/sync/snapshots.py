"""What a single-document listing no longer holds, and when that is not believed at once.

The document is complete in itself, so what is missing has gone: no probe is needed. But a career page that is being
rebuilt, or a tool that answers with an empty list, is complete, too. So a large loss waits for the operator, as that
of a paged listing does, and a loss of more than half of a few records waits until the next run shows it again. What
such a document says anew of the records that it still holds waits with it: a list of stages that has been emptied is as
good a sign of a broken document as the stages that are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from atsumi.connector.contract import MappingContext, RawRecord, RecordMapping
from atsumi.errors import UnsafeChange
from atsumi.store import deletion, records, unsafe
from atsumi.store.deletion import Policy
from atsumi.store.records import Connection, Owner, Tick
from atsumi.sync.groups import affected_groups

SMALL = 10
"""Below this many stored records a share says little (octoDNS draws the line at the same number)."""


@dataclass(slots=True)
class Verdict:
    """What may be marked as gone, by stream: run that missed it first (``None``: this one), by remote id.

    ``is_doubted`` says that the document is not believed in all that it misses.
    """

    gone: dict[str, dict[str, UUID | None]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    is_doubted: bool = False


def is_unsafe(stored: int, missing: int, policy: Policy) -> bool:
    """Whether so large a part of a stream's records is missing that the operator has to decide."""
    return stored >= SMALL and missing > policy.unsafe_fraction * stored


def unsafe_message(tool: str, stream: str, stored: int, missing: int) -> str:
    """What the operator reads about it."""
    error = UnsafeChange(
        f"{tool}: {stream}: {missing} of {stored} stored records are missing in the newest complete listing. "
        "Nothing was removed. Look at it with `atsumi deletions list`, then confirm or discard it."
    )
    return str(error)


async def judge(
    connection: Connection,
    owner: Owner,
    mapping: RecordMapping,
    context: MappingContext,
    tool: str,
    run_id: UUID,
    listing: str,
    missing: Mapping[str, Sequence[str]],
    *,
    is_news: bool,
) -> Verdict:
    """Decide what of the missing records has gone, and note what has to wait. Belongs into the page's transaction.

    ``missing`` holds remote ids by raw stream, of those that the document of the stream ``listing`` feeds.

    One document may be wrong, so a record goes only when an earlier run has missed it, too; with ``is_news`` one
    document is enough unless most of a small stream is missing. Records that feed nothing (what was malformed) go
    without further ado. If one stream of the document loses too much, nothing that the document misses is removed.
    """
    verdict = Verdict()
    integration = owner.integration
    for stream, ids in missing.items():
        kept = await records.raw_by_key(connection, integration, [(stream, id) for id in ids])
        fed = [RawRecord(stream, id, kept[stream, id][0]) for id in ids]
        groups, _ = await affected_groups(connection, integration, mapping, context, fed)
        stored = await deletion.present_count(connection, integration, stream) if groups else 0
        earlier: Mapping[str, UUID] = {}
        if stored >= SMALL and is_unsafe(stored, len(ids), await deletion.policy_of(connection, integration)):
            await unsafe.hold_unsafe(
                connection, integration, run_id, stream, listing=listing, stored=stored, missing=ids, pages=1
            )
            verdict.troubles.append(unsafe_message(tool, stream, stored, len(ids)))
            continue
        await unsafe.supersede_unsafe(connection, integration, stream)
        if groups and (not is_news or (stored < SMALL and len(ids) * 2 > stored > 0)):
            earlier = await deletion.earlier_suspicions(connection, integration, stream, ids, run_id)
            await deletion.suspect(connection, integration, run_id, stream, ids)
            ids = [id for id in ids if id in earlier]
        if ids:
            verdict.gone[stream] = {id: earlier.get(id) for id in ids}
    if verdict.troubles:
        verdict.gone.clear()
    verdict.is_doubted = any(len(ids) > len(verdict.gone.get(stream, ())) for stream, ids in missing.items())
    return verdict


async def mark(connection: Connection, owner: Owner, tick: Tick, verdict: Verdict, run_id: UUID) -> list[RawRecord]:
    """Mark as gone what the verdict says, with its evidence; returns those records. Needs the clock."""
    marked: list[RawRecord] = []
    for stream, found in verdict.gone.items():
        await records.mark_gone(connection, owner, tick, stream, list(found))
        kept = await records.raw_by_key(connection, owner.integration, [(stream, id) for id in found])
        marked += [RawRecord(stream, id, kept[stream, id][0]) for id in found]
        is_second = any(run is not None for run in found.values())
        await deletion.add_evidence(
            connection,
            owner,
            tick,
            stream,
            found,
            kind="second_sweep" if is_second else "snapshot",
            confirmed_by=run_id,
            detail="two complete documents did not hold it" if is_second else "a complete document no longer holds it",
        )
    return marked
