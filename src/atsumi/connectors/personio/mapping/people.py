"""Users, roles and candidates (Personio NOTES section 18)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from atsumi.connector.contract import Built, MappingContext, RawKey, RawPrefix, RawView
from atsumi.connector.reading import Reader, as_id, as_list, as_object, decode, encode_stably
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import Settings
from atsumi.model.application import Application
from atsumi.model.candidate import Candidate
from atsumi.model.enums import RoleScope, RoleType, UserStatus
from atsumi.model.parts import EmailAddress, Location, PhoneNumber, SocialMedia
from atsumi.model.record import Record
from atsumi.model.role import Role
from atsumi.model.user import User

_STATUSES = {"active": UserStatus.ACTIVE, "inactive": UserStatus.INACTIVE}
_CANDIDATE_EXTRAS = ("gender", "birthday", "available_from")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def user_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.PERSONS, key), RawKey(raw.PERSONS_SEEN, key))


def build_user(key: str, view: RawView, context: MappingContext) -> Built:
    """A person (C), or only an id where a hiring team names someone whom the credentials cannot read."""
    found = view.get(raw.PERSONS, key)
    if found is None and view.get(raw.PERSONS_SEEN, key) is None:
        return Built(())
    person = as_object(decode(found))
    reader = Settings.read(context.config).reader(raw.PERSONS, key)
    user = User(
        remote_id=key,
        first_name=reader.text(person.get("first_name"), "first_name"),
        last_name=reader.text(person.get("last_name"), "last_name"),
        email=reader.text(person.get("email"), "email"),
        status=reader.word(person.get("status"), "status", _STATUSES),
        remote_created_at=reader.instant(person.get("created_at"), "created_at"),
        remote_updated_at=reader.instant(person.get("updated_at"), "updated_at"),
    )
    return Built((user,), reader.issues)


def role_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (RawKey(raw.ROLES, key),)


def build_role(key: str, view: RawView, context: MappingContext) -> Built:
    """A role of hiring teams; its label is all there is. The type is read out of free text (section 18, I)."""
    if view.get(raw.ROLES, key) is None:
        return Built(())
    label = key.lower()
    kind = None
    if "hiring manager" in label:
        kind = RoleType.HIRING_MANAGER
    elif "recruit" in label:
        kind = RoleType.RECRUITER
    return Built((Role(remote_id=key, label=key, scope=RoleScope.JOB, type=kind),))


def candidate_sources(key: str, view: RawView, context: MappingContext) -> Iterable[RawKey | RawPrefix]:
    return (
        RawKey(raw.CANDIDATES, key),
        RawKey(raw.CANDIDATE_STUBS, key),
        RawPrefix(raw.ANONYMIZED, f"{key}:"),
    )


def build_candidate(key: str, view: RawView, context: MappingContext) -> Built:
    """A candidate as read, else as an application shows them; nothing once they were read and are gone.

    Blank when the tool has erased the person: when the stand-in says so, or when all applications that the record
    lists are anonymised. Then the raw records lose the person, too, as does one that is gone once any of its
    applications is anonymised.
    """
    found = view.get(raw.CANDIDATES, key)
    stream = raw.CANDIDATES
    if found is None:
        stream = raw.CANDIDATE_STUBS
        found = None if view.is_gone(raw.CANDIDATES, key) else view.get(raw.CANDIDATE_STUBS, key)
    if found is None:
        is_erased = view.is_gone(raw.CANDIDATES, key) and bool(view.under(raw.ANONYMIZED, f"{key}:"))
        return Built((), erased=_without_person(key, {}, view) if is_erased else {})
    source = as_object(decode(found))
    reader = Settings.read(context.config).reader(stream, key)
    record = Candidate(
        remote_id=key,
        remote_created_at=reader.instant(source.get("created_at"), "created_at"),
        remote_updated_at=reader.instant(source.get("updated_at"), "updated_at"),
    )
    if _is_erased(key, source, view):
        return Built((record,), reader.issues, _without_person(key, source, view))
    return Built((_with_person(record, source, reader),), reader.issues)


def _without_person(key: str, source: Mapping[str, object], view: RawView) -> Mapping[RawKey, bytes]:
    """What may stay of the raw records: ids, times and the list of applications."""
    kept = {name: source[name] for name in ("applications", "created_at", "updated_at") if name in source}
    stored = [
        RawKey(stream, key)
        for stream in (raw.CANDIDATES, raw.CANDIDATE_STUBS)
        if view.get(stream, key) is not None or view.is_gone(stream, key)
    ]
    return dict.fromkeys(stored, encode_stably({**kept, "id": key, "is_anonymized": True}))


def _is_erased(key: str, source: Mapping[str, object], view: RawView) -> bool:
    if source.get("is_anonymized") is True:
        return True
    listed = {as_id(as_object(item).get("id")) for item in as_list(source.get("applications"))}
    erased = {address.removeprefix(f"{key}:") for address in view.under(raw.ANONYMIZED, f"{key}:")}
    return bool(listed) and listed <= erased


def _with_person(record: Candidate, source: Mapping[str, object], reader: Reader) -> Candidate:
    email, phone = reader.text(source.get("email"), "email"), reader.text(source.get("phone"), "phone")
    profile = reader.text(source.get("linkedin_profile"), "linkedin_profile")
    place = reader.text(source.get("location"), "location")
    extras = {name: text for name in _CANDIDATE_EXTRAS if (text := reader.text(source.get(name), name))}
    return msgspec.structs.replace(
        record,
        first_name=reader.text(source.get("first_name"), "first_name"),
        last_name=reader.text(source.get("last_name"), "last_name"),
        email_addresses=[EmailAddress(email_address=email)] if email else [],
        phone_numbers=[PhoneNumber(phone_number=phone)] if phone else [],
        social_media=[SocialMedia(link=profile, type="LINKEDIN")] if profile else [],
        location=Location(raw=place) if place else None,
        custom_fields=extras or None,
    )


def newest_source(record: Record, applications: Sequence[Record]) -> Record:
    """The candidate with the channel of their newest application as source (section 18, I).

    Applications are compared by the day of application, then by creation, then by id, so the answer does not depend
    on the order they come in.
    """
    mine = [application for application in applications if isinstance(application, Application)]
    newest = max(
        mine,
        key=lambda item: (item.applied_at or _LONG_AGO, item.remote_created_at or _LONG_AGO, item.remote_id),
        default=None,
    )
    return msgspec.structs.replace(record, source=newest.source if newest is not None else None)
