"""Asking for one record by its id, to tell a deleted record from one that a listing left out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from atsumi.connector.context import Context
from atsumi.connector.contract import Presence, Probe, RawRecord
from atsumi.connector.reading import as_text, encode_stably
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.client import PersonioClient, is_id

_Record = Mapping[str, object]
_ENDPOINTS: dict[
    str,
    tuple[Callable[[PersonioClient, str], Awaitable[_Record | None]], Callable[[_Record, str], Iterable[RawRecord]]],
] = {
    raw.JOBS: (PersonioClient.job, lambda job, _: raw.of_job(job)),
    raw.CANDIDATES: (PersonioClient.candidate, lambda _, __: ()),
    raw.APPLICATIONS: (PersonioClient.application, raw.of_application),
}


async def probe(context: Context, stream: str, remote_id: str) -> Probe:
    """Ask Personio for one job, candidate or application; all other streams have no such endpoint.

    Only its own 404 for an unknown record means that the record is gone. The gateway's ``apinot_found`` is raised as
    :class:`~atsumi.errors.PermissionMissing` or :class:`~atsumi.errors.UnexpectedResponse` (Personio NOTES section
    13), as is every other refusal.
    """
    endpoint = _ENDPOINTS.get(stream)
    if endpoint is None or not is_id(remote_id):
        return Probe(Presence.UNKNOWN)
    ask, observe = endpoint
    found = await ask(PersonioClient(context), remote_id)
    if found is None:
        return Probe(Presence.GONE)
    if as_text(found.get("id")) != remote_id:
        return Probe(Presence.UNKNOWN)
    return Probe(Presence.PRESENT, [*observe(found, remote_id), RawRecord(stream, remote_id, encode_stably(found))])
