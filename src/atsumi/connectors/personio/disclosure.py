"""Which raw paths tell which canonical fields (the counterpart of the mapping, path by path)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec
from lxml import etree

from atsumi.connector.disclosure import Disclosure, RawContent, Told, reveals, serves
from atsumi.connector.reading import decode
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import LANGUAGES
from atsumi.connectors.personio.mapping.coverage import COVERAGE
from atsumi.model.names import Model
from atsumi.model.scope import Field


def _of(*models: Model) -> frozenset[Field]:
    """All fields of these models that the connector fills."""
    return frozenset((model, name) for model in models for name in COVERAGE[model])


def _joined(*told: Told) -> Told:
    return Told(
        frozenset(one for part in told for one in part.serves), frozenset(one for part in told for one in part.reveals)
    )


def _under(prefix: str, paths: Mapping[str, Told]) -> dict[str, Told]:
    """The same paths inside another record, which computes nothing from them."""
    return {f"{prefix}.{path}": reveals(told.serves | told.reveals) for path, told in paths.items()}


def _record(*models: Model, also: Iterable[Field] = ()) -> Told:
    return Told(serves=_of(*models) | frozenset(also))


_KEPT = Told()
_STAGE_NAME = (Model.STAGE, "name")

_CANDIDATE: Mapping[str, Told] = {
    "id": _KEPT,
    "applications[].id": _KEPT,  # by them it is known when all of a person's applications are anonymised
    "applications[].application_date": reveals([(Model.APPLICATION, "applied_at")]),
    "applications[].*": reveals([(Model.APPLICATION, "custom_fields")]),
    "is_anonymized": _KEPT,
    "first_name": serves(Model.CANDIDATE, "first_name"),
    "last_name": serves(Model.CANDIDATE, "last_name"),
    "email": serves(Model.CANDIDATE, "email_addresses"),
    "phone": serves(Model.CANDIDATE, "phone_numbers"),
    "linkedin_profile": serves(Model.CANDIDATE, "social_media"),
    "location": serves(Model.CANDIDATE, "location"),
    "created_at": serves(Model.CANDIDATE, "remote_created_at"),
    "updated_at": serves(Model.CANDIDATE, "remote_updated_at"),
    "*": serves(Model.CANDIDATE, "custom_fields"),
}

_JOB: Mapping[str, Told] = {
    "id": _KEPT,
    "name": serves(Model.JOB, "name"),
    "department.id": serves(Model.JOB, "department_remote_id"),
    # A department without an id is told by its name.
    "department.name": serves(Model.JOB, "department", "department_remote_id"),
    # An id or a bare name, which leads to the category's stages.
    "category": Told(_of(Model.JOB_STAGE) | {(Model.JOB, "category")}),
    "hiring_team": Told(_of(Model.HIRING_TEAM_MEMBER, Model.USER, Model.ROLE)),
    "hiring_team[].person.id": _KEPT,
    "hiring_team[].person.*": reveals((Model.USER, name) for name in ("first_name", "last_name", "email")),
    "hiring_team[].role": Told(_of(Model.HIRING_TEAM_MEMBER, Model.ROLE)),
    "created_at": serves(Model.JOB, "remote_created_at"),
    "updated_at": serves(Model.JOB, "remote_updated_at"),
    "*": serves(Model.JOB, "custom_fields"),
}

_APPLICATION: Mapping[str, Told] = {
    "id": _KEPT,
    "is_anonymized": _KEPT,
    "application_date": serves(Model.APPLICATION, "applied_at", "remote_created_at"),
    **_under("candidate", _CANDIDATE),
    **_under("job", {path: told for path, told in _JOB.items() if not path.startswith("hiring_team")}),
    "job.department.name": reveals([(Model.JOB, "department"), (Model.DEPARTMENT, "name")]),
    "job.category": reveals([(Model.JOB, "category")]),
    "current_stage": Told(
        serves(Model.APPLICATION, "current_stage_remote_id", "outcome", "rejected_at").serves
        | {(Model.STAGE_TRANSITION, "stage_remote_id")}
    ),
    "current_stage.name": reveals([_STAGE_NAME]),
    "channel.id": serves(Model.APPLICATION, "source_remote_id"),
    "channel.name": Told(frozenset({(Model.APPLICATION, "source"), (Model.CANDIDATE, "source")})),
    "hiring_team": reveals([(Model.HIRING_TEAM_MEMBER, "user_remote_id"), (Model.USER, "remote_id")]),
    "created_at": serves(Model.APPLICATION, "remote_created_at"),
    "updated_at": serves(Model.APPLICATION, "remote_updated_at"),
    "*": serves(Model.APPLICATION, "custom_fields"),
}

_PERSON: Mapping[str, Told] = {
    "id": _KEPT,
    "first_name": serves(Model.USER, "first_name"),
    "last_name": serves(Model.USER, "last_name"),
    "preferred_name": reveals([(Model.USER, "first_name"), (Model.USER, "last_name")]),
    "email": serves(Model.USER, "email"),
    "status": serves(Model.USER, "status"),
    "created_at": serves(Model.USER, "remote_created_at"),
    "updated_at": serves(Model.USER, "remote_updated_at"),
    "*": serves(Model.USER, "custom_fields"),
}

_QUESTION: Mapping[str, Told] = {
    "label": serves(Model.SCREENING_QUESTION, "title"),
    "description": serves(Model.SCREENING_QUESTION, "description"),
    "kind": serves(Model.SCREENING_QUESTION, "format"),
    "is_multiple": serves(Model.SCREENING_QUESTION, "format"),
    "options": serves(Model.SCREENING_QUESTION, "format"),
}

_PLACES = serves(Model.JOB, "location", "other_locations", "office_remote_ids")
_POSITION: Mapping[str, Told] = {
    "id": _KEPT,
    "name": _joined(serves(Model.JOB, "name"), serves(Model.JOB_POSTING, "title")),
    "jobDescriptions": _joined(serves(Model.JOB, "description"), serves(Model.JOB_POSTING, "description_html")),
    "employmentType": serves(Model.JOB, "employment_type", "employment_type_raw"),
    "schedule": serves(Model.JOB, "employment_type", "employment_type_raw"),
    "seniority": serves(Model.JOB, "experience_level"),
    "office": _PLACES,
    "additionalOffices": _PLACES,
    "department": serves(Model.JOB, "department"),
    "recruitingCategory": serves(Model.JOB, "category"),
    "createdAt": serves(Model.JOB, "remote_created_at"),
    "salaryInformation.min": serves(Model.JOB, "salary_amount_from"),
    "salaryInformation.max": serves(Model.JOB, "salary_amount_to"),
    "salaryInformation.currencyCode": serves(Model.JOB, "salary_currency"),
    "salaryInformation.type": serves(Model.JOB, "salary_period", "salary_period_raw"),
    "salaryInformation.*": serves(Model.JOB, "custom_fields"),
    "salaryInformation": _KEPT,
    "*": serves(Model.JOB, "custom_fields"),
}


def without_elements(data: bytes, paths: Collection[str]) -> bytes:
    """A position of the feed without these elements; see :func:`atsumi.connector.disclosure.without_paths`."""
    xml = decode(data)
    if not isinstance(xml, str):
        return b"null"
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        position = etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return b"null"
    named = {path.removeprefix("!") for path in paths}
    for element in list(position.iterdescendants()):
        steps: list[str] = []
        at: etree._Element | None = element
        while at is not None and at is not position:
            steps.insert(0, str(at.tag))
            at = at.getparent()
        path, rest = ".".join(steps), ".".join([*steps[:-1], "*"])
        parent = element.getparent()
        if parent is not None and (path in paths or (path not in named and rest in paths)):
            parent.remove(element)
    return msgspec.json.encode(etree.tostring(position, method="c14n2").decode())


_CATEGORY: Mapping[str, Told] = {
    "id": _KEPT,
    "name": serves(Model.JOB, "category"),
    "stages": Told(_of(Model.JOB_STAGE)),
    "stages[].name": reveals([_STAGE_NAME]),
}
_STAGE_CONTENT = RawContent(_record(Model.STAGE), {"name": Told(frozenset({_STAGE_NAME}))})
_CANDIDATE_CONTENT = RawContent(_record(Model.CANDIDATE), _CANDIDATE)
_FEED_CONTENT = RawContent(_record(Model.JOB, Model.JOB_POSTING, Model.SCREENING_QUESTION), _POSITION, without_elements)
_FEEDS = [raw.feed(language) for language in LANGUAGES]


def _malformed(stream: str, *models: Model) -> tuple[str, RawContent]:
    """What was no record may hold anything."""
    return raw.malformed(stream), RawContent(reveals(_of(*models)))


disclosure = Disclosure(
    requested_for={
        raw.BUILTIN_STAGES: _of(Model.STAGE),
        raw.CATEGORIES: _of(Model.JOB_STAGE, Model.STAGE) | {(Model.JOB, "category")},
        raw.JOBS: _of(Model.JOB, Model.USER, Model.ROLE, Model.DEPARTMENT),
        **dict.fromkeys(_FEEDS, _of(Model.JOB, Model.OFFICE, Model.SCREENING_QUESTION)),
        raw.FORMS: _of(Model.SCREENING_QUESTION, Model.JOB_SCREENING_QUESTION),
        raw.PERSONS: _of(Model.USER),
        raw.CANDIDATES: _of(Model.CANDIDATE),
        # Candidates alone need them, too: only applications tell when a person was erased.
        raw.APPLICATIONS: _of(Model.APPLICATION, Model.CANDIDATE),
        raw.TRANSITIONS: _of(Model.STAGE_TRANSITION) | {(Model.APPLICATION, "rejected_at")},
        raw.DOCUMENTS: _of(Model.ATTACHMENT),
    },
    contents={
        raw.BUILTIN_STAGES: _STAGE_CONTENT,
        raw.CATEGORY_STAGES: _STAGE_CONTENT,
        raw.STAGES: _STAGE_CONTENT,
        raw.CATEGORIES: RawContent(_record(Model.JOB_STAGE, also=[(Model.JOB, "category")]), _CATEGORY),
        raw.CATEGORY_NAMES: RawContent(_record(Model.JOB_STAGE, also=[(Model.JOB, "category")]), _CATEGORY),
        raw.JOB_STAGES_SEEN: RawContent(_record(Model.JOB_STAGE)),
        raw.JOBS: RawContent(_record(Model.JOB, Model.USER), _JOB),
        raw.JOB_STUBS: RawContent(_record(Model.JOB), _JOB),
        raw.DEPARTMENTS: RawContent(_record(Model.DEPARTMENT), {"name": serves(Model.DEPARTMENT, "name")}),
        raw.OFFICES: RawContent(_record(Model.OFFICE)),
        raw.ROLES: RawContent(_record(Model.ROLE)),
        **dict.fromkeys(_FEEDS, _FEED_CONTENT),
        raw.FORMS: RawContent(
            _record(Model.JOB_SCREENING_QUESTION),
            {
                **_under("controls[]", _QUESTION),
                "controls[].is_required": serves(Model.JOB_SCREENING_QUESTION, "is_required"),
            },
        ),
        raw.QUESTIONS: RawContent(_record(Model.SCREENING_QUESTION), _QUESTION),
        raw.PERSONS: RawContent(_record(Model.USER), _PERSON),
        raw.PERSONS_SEEN: RawContent(_record(Model.USER)),
        raw.CANDIDATES: _CANDIDATE_CONTENT,
        raw.CANDIDATE_STUBS: _CANDIDATE_CONTENT,
        raw.ANONYMIZED: RawContent(_record(Model.CANDIDATE)),
        raw.APPLICATIONS: RawContent(_record(Model.APPLICATION), _APPLICATION),
        raw.TRANSITIONS: RawContent(
            _record(Model.STAGE_TRANSITION, also=[(Model.APPLICATION, "rejected_at")]),
            {"[].stage.name": reveals([_STAGE_NAME])},
        ),
        raw.DOCUMENTS: RawContent(
            _record(Model.ATTACHMENT),
            {
                "[].id": _KEPT,
                "[].owner": _KEPT,
                "[].name": serves(Model.ATTACHMENT, "file_name", "type"),
                "[].category": serves(Model.ATTACHMENT, "type"),
                "[].size": serves(Model.ATTACHMENT, "size_bytes"),
                "[].created_at": serves(Model.ATTACHMENT, "remote_created_at"),
                "[].date": reveals([(Model.ATTACHMENT, "remote_created_at")]),
                "[].*": serves(Model.ATTACHMENT, "custom_fields"),
            },
        ),
        **dict(
            [
                _malformed(raw.CATEGORIES, Model.STAGE, Model.JOB_STAGE),
                _malformed(raw.JOBS, Model.JOB, Model.USER),
                _malformed(raw.CANDIDATES, Model.CANDIDATE),
                _malformed(raw.APPLICATIONS, Model.APPLICATION, Model.CANDIDATE),
                *(_malformed(feed, Model.JOB, Model.JOB_POSTING) for feed in _FEEDS),
            ]
        ),
    },
)
"""Forms, questions and positions of the career site are public, but follow the scope like everything else."""
