"""How records look in answers of v2: Personio NOTES sections 6, 7, 8, 11 and 12.

Parts that many records share (job stubs, stages, hiring teams, dates) are rendered once and kept as bytes, so that a
page of 200 costs about a millisecond without keeping anything per application.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from atsumi.connectors.personio.simulator.clock import from_milliseconds, utc_text
from atsumi.connectors.personio.simulator.records import (
    BUILTIN_KEYS,
    Application,
    Candidate,
    Category,
    Document,
    Job,
    Member,
    Named,
    Person,
    Stage,
)
from atsumi.connectors.personio.simulator.state import Company
from atsumi.connectors.personio.simulator.switches import Switches

TIMEZONE = "Europe/Berlin"
_ZONE = ZoneInfo(TIMEZONE)
_HOUR = 3_600_000
_MINUTES = [f"{second // 60:02d}:{second % 60:02d}" for second in range(3600)]

_encoder = msgspec.json.Encoder()
encode = _encoder.encode


class Wire:
    """Renders the records of one company for one origin under one set of switches."""

    def __init__(self, company: Company, switches: Switches, origin: str) -> None:
        self._company = company
        self._switches = switches
        self._origin = origin
        self._hours: dict[int, tuple[str, str]] = {}
        self._days: dict[int, str] = {}
        self._revision = -1
        self._stages: dict[str, msgspec.Raw] = {}
        self._stubs: dict[int, msgspec.Raw] = {}
        self._teams: dict[int, msgspec.Raw] = {}
        self._channels: dict[int, msgspec.Raw] = {}

    def application(self, item: Application) -> dict[str, Any]:
        """Return the application with its candidate and job stubs."""
        self._forget_if_changed()
        candidate = self._company.any_candidate(item.candidate_id)
        known = candidate if candidate is not None and not item.is_anonymized else None
        team = self._team(item.job_id) if item.hiring_team is None else self.members(item.hiring_team)
        return {
            "id": str(item.id),
            "application_date": self.day(item.applied_on),
            "candidate": {
                "id": str(item.candidate_id),
                "email": known.email if known else None,
                "first_name": known.first_name if known else None,
                "last_name": known.last_name if known else None,
                "gender": known.gender if known else None,
            },
            "job": self._job_stub(item.job_id),
            "current_stage": self._stage(item.stage),
            "channel": self._channel(item.channel),
            "hiring_team": team,
            "is_anonymized": item.is_anonymized,
            "created_at": self.instant(item.created_at),
            "updated_at": self.instant(item.updated_at),
        }

    def candidate(self, item: Candidate) -> dict[str, Any]:
        """Return the candidate; its timestamps are plain strings in UTC."""
        applications = []
        for application_id in item.applications:
            application = self._company.applications.get(application_id)
            seconds = self._switches.v2_visible_after_seconds
            if application is not None and self._company.is_shown(application, seconds):
                applications.append({"id": str(application_id), "application_date": self.day(application.applied_on)})
        return {
            "id": str(item.id),
            "first_name": item.first_name,
            "last_name": item.last_name,
            "email": item.email,
            "gender": item.gender,
            "phone": item.phone,
            "location": item.location,
            "birthday": None if item.birthday is None else self.day(item.birthday),
            "linkedin_profile": item.linkedin_profile,
            "available_from": item.available_from,
            "applications": applications,
            "created_at": self._plain(item.created_at),
            "updated_at": self._plain(item.updated_at),
        }

    def job(self, item: Job) -> dict[str, Any]:
        """Return the job: eight fields, in lists and alone."""
        return {
            "id": str(item.id),
            "name": item.name,
            "department": _id_name(item.department),
            "category": self._job_category(item),
            "company": {"id": str(self._company.id)},
            "hiring_team": self.members(item.hiring_team),
            "created_at": self.instant(item.created_at),
            "updated_at": self.instant(item.updated_at),
        }

    def category(self, item: Category) -> dict[str, Any]:
        """Return the category, with its stages in order if the switch says so."""
        answer: dict[str, Any] = {
            "id": str(item.id),
            "name": item.name,
            "company": {"id": str(self._company.id)},
        }
        if self._switches.category_stages:
            answer["stages"] = [self.stage(stage) for stage in item.stages]
        return answer

    def transition(self, at: int, stage: Stage) -> dict[str, Any]:
        """Return one entry of an application's stage history."""
        return {"entered_at": self.instant(at), "stage": self.stage(stage)}

    def person(self, item: Person) -> dict[str, Any]:
        """Return the person."""
        return {
            "id": str(item.id),
            "email": item.email,
            "created_at": utc_text(item.created_at),
            "updated_at": utc_text(item.updated_at),
            "first_name": item.first_name,
            "last_name": item.last_name,
            "preferred_name": f"{item.first_name} {item.last_name}",
            "gender": item.gender,
            "profile_picture": {"url": f"{self._origin}/v1/company/employees/{item.id}/profile-picture"},
            "status": item.status,
            "custom_attributes": [],
            "employments": [{"id": item.employment_id}],
            "_meta": {"links": {"employments": {"href": f"{self._origin}/v2/persons/{item.id}/employments"}}},
        }

    def document(self, item: Document, *, size: int, is_scanned: bool) -> dict[str, Any]:
        """Return the metadata of a file."""
        answer: dict[str, Any] = {
            "id": str(item.id),
            "name": item.name,
            "date": from_milliseconds(item.created_at).date().isoformat(),
            "comment": None,
            "owner": {"id": str(item.owner_id)},
            "document_type": "uploaded",
            "size": size,
            "created_at": utc_text(item.created_at),
            "virus_scan": {"status": "FAILED" if item.is_quarantined else "PASSED" if is_scanned else "PENDING"},
            "esignature": {"status": "NONE"},
        }
        if self._switches.documents_have_category:
            answer["category"] = {"id": item.category}
        return answer

    def stage(self, item: Stage) -> dict[str, Any]:
        """Return a stage object; built-in ones carry nulls for id and name unless the switch says otherwise."""
        current = self._company.stages.get(item.reference, item)
        identity: dict[str, str | None]
        if current.key is None:
            identity = {"id": str(current.id), "name": current.name}
            pair = ("custom", "custom")
        else:
            shown = self._switches.builtin_stages_have_ids
            number = str(900_001 + BUILTIN_KEYS.index(current.key))
            identity = {"id": number if shown else None, "name": current.name if shown else None}
            pair = ("system", current.key)
        if self._switches.system_key_in == "type":
            pair = (pair[1], pair[0])
        if self._switches.stage_case == "upper":
            pair = (pair[0].upper(), pair[1].upper())
        return {**identity, "type": pair[0], "kind": pair[1]}

    def members(self, team: Iterable[Member]) -> list[dict[str, Any]]:
        """Return hiring-team entries: a link to the person and a free-text role."""
        return [
            {
                "person": {
                    "id": str(member.person_id),
                    "_meta": {"links": {"self": {"href": f"{self._origin}/v2/persons/{member.person_id}"}}},
                },
                "role": {"name": member.role},
            }
            for member in team
        ]

    # Instants and days.

    def instant(self, milliseconds: int) -> dict[str, str] | str:
        """Return a timestamp of applications, jobs and transitions in the shape that the switches ask for."""
        hour = milliseconds // _HOUR
        parts = self._hours.get(hour) or self._remember_hour(hour)
        rest = milliseconds - hour * _HOUR
        seconds, fraction = divmod(rest, 1000)
        if self._switches.timestamp_precision == "milliseconds":
            text = f"{parts[0]}{_MINUTES[seconds]}.{fraction:03d}{parts[1]}"
        else:
            text = f"{parts[0]}{_MINUTES[seconds]}{parts[1]}"
        key = self._switches.timestamp_key
        return text if key == "string" else {key: text, "timezone": TIMEZONE}

    def _remember_hour(self, hour: int) -> tuple[str, str]:
        instant = from_milliseconds(hour * _HOUR)
        is_naive = self._switches.timestamps == "naive"
        if not (is_naive and self._switches.naive_means == "utc"):
            instant = instant.astimezone(_ZONE)
        text = instant.isoformat(timespec="minutes")
        self._hours[hour] = (text[:14], "" if is_naive else text[16:])
        return self._hours[hour]

    def day(self, ordinal: int) -> str:
        """Return a day as ISO 8601."""
        text = self._days.get(ordinal)
        if text is None:
            text = self._days[ordinal] = date.fromordinal(ordinal).isoformat()
        return text

    def _plain(self, milliseconds: int) -> str:
        text = utc_text(milliseconds)
        return text if self._switches.timestamp_precision == "milliseconds" else text[:19] + "Z"

    # Parts that many records share.

    def _forget_if_changed(self) -> None:
        if self._revision != self._company.revision:
            self._revision = self._company.revision
            for kept in (self._stages, self._stubs, self._teams, self._channels):
                kept.clear()

    def _stage(self, item: Stage) -> msgspec.Raw:
        raw = self._stages.get(item.reference)
        if raw is None:
            raw = self._stages[item.reference] = msgspec.Raw(encode(self.stage(item)))
        return raw

    def _channel(self, item: Named | None) -> msgspec.Raw | None:
        if item is None:
            return None
        raw = self._channels.get(item.id)
        if raw is None:
            raw = self._channels[item.id] = msgspec.Raw(encode(_id_name(item)))
        return raw

    def _job_stub(self, job_id: int) -> msgspec.Raw | None:
        raw = self._stubs.get(job_id)
        if raw is None:
            job = self._company.any_job(job_id)
            if job is None:
                return None
            stub = {
                "id": str(job.id),
                "name": job.name,
                "department": _id_name(job.department),
                "category": self._job_category(job),
            }
            raw = self._stubs[job_id] = msgspec.Raw(encode(stub))
        return raw

    def _team(self, job_id: int) -> msgspec.Raw | list[Any]:
        raw = self._teams.get(job_id)
        if raw is None:
            job = self._company.any_job(job_id)
            if job is None:
                return []
            raw = self._teams[job_id] = msgspec.Raw(encode(self.members(job.hiring_team)))
        return raw

    def _job_category(self, job: Job) -> dict[str, str] | str | None:
        category = self._company.categories.get(job.category_id) if job.category_id is not None else None
        if category is None or self._switches.job_category == "null":
            return None
        if self._switches.job_category == "string":
            return category.name
        return {"id": str(category.id), "name": category.name}


def _id_name(item: Named | None) -> dict[str, str] | None:
    return None if item is None else {"id": str(item.id), "name": item.name}
