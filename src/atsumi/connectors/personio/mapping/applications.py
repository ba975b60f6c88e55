"""Applications (Personio NOTES section 18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atsumi.connector.contract import Built, MappingContext, RawKey, RawPrefix, RawView
from atsumi.connector.reading import Reader, as_id, as_list, as_object, decode, encode_stably
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import Settings
from atsumi.connectors.personio.mapping.files import attachments
from atsumi.connectors.personio.mapping.moves import moves_of, rejected_at, transitions
from atsumi.model.application import Application
from atsumi.model.enums import Outcome
from atsumi.model.record import Record

_OUTCOMES = {"accepted": Outcome.HIRED, "rejected": Outcome.DECLINED, "withdrawn": Outcome.DECLINED}
"""By built-in stage; everything else is under way (section 18, I)."""

_IMPERSONAL_FIELDS = frozenset(
    [
        "id",
        "application_date",
        "job",
        "current_stage",
        "channel",
        "hiring_team",
        "is_anonymized",
        "created_at",
        "updated_at",
    ]
)


def application_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.APPLICATIONS, key), RawKey(raw.TRANSITIONS, key), RawKey(raw.DOCUMENTS, key))


def build_application(key: str, view: RawView, context: MappingContext) -> Built:
    """One application with its recorded moves and files.

    Of an anonymised one the raw record loses the person, and its files, whose names may tell who it was, are dropped.
    """
    found = view.get(raw.APPLICATIONS, key)
    if found is None:
        return Built(())
    source, settings = as_object(decode(found)), Settings.read(context.config)
    reader = settings.reader(raw.APPLICATIONS, key)
    applied_at = reader.instant(source.get("application_date"), "application_date")
    stage, channel = as_object(source.get("current_stage")), as_object(source.get("channel"))
    move_reader, file_reader = settings.reader(raw.TRANSITIONS, key), settings.reader(raw.DOCUMENTS, key)
    moves = moves_of(as_list(decode(view.get(raw.TRANSITIONS, key) or b"null")), move_reader)
    application = Application(
        remote_id=key,
        candidate_remote_id=as_id(as_object(source.get("candidate")).get("id")),
        job_remote_id=as_id(as_object(source.get("job")).get("id")),
        current_stage_remote_id=raw.stage_id(stage),
        outcome=_outcome(stage, reader),
        applied_at=applied_at,
        rejected_at=rejected_at(raw.stage_id(stage), moves),
        source=reader.text(channel.get("name"), "channel.name"),
        source_remote_id=as_id(channel.get("id")),
        is_anonymized=source.get("is_anonymized") is True,
        remote_created_at=reader.instant(source.get("created_at"), "created_at") or applied_at,
        remote_updated_at=reader.instant(source.get("updated_at"), "updated_at"),
    )
    records: list[Record] = [application, *transitions(key, moves)]
    erased: dict[RawKey, bytes] = {}
    listed = view.get(raw.DOCUMENTS, key)
    if application.is_anonymized:
        erased[RawKey(raw.APPLICATIONS, key)] = _without_person(source)
        if listed is not None:
            erased[RawKey(raw.DOCUMENTS, key)] = b"[]"
    elif listed is not None:
        records += attachments(key, application.candidate_remote_id, as_list(decode(listed)), file_reader)
    return Built(records, [*reader.issues, *move_reader.issues, *file_reader.issues], erased)


def _without_person(source: Mapping[str, object]) -> bytes:
    """The documented fields (section 7) that tell of the application, with the candidate's id alone."""
    kept = {name: value for name, value in source.items() if name in _IMPERSONAL_FIELDS}
    candidate = as_id(as_object(source.get("candidate")).get("id"))
    return encode_stably(kept | {"candidate": {"id": candidate}})


def _outcome(stage: Mapping[str, object], reader: Reader) -> Outcome:
    key = raw.stage_key(stage)
    if key is not None and not raw.is_known_key(key):
        reader.unknown(key, "current_stage")
    return _OUTCOMES.get(key or "", Outcome.PENDING)
