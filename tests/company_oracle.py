"""What the API's lists must show of a simulated company, as plain dictionaries.

Written from the notes on the connector, not from its mapping: the source is the simulator's own account of the truth,
which knows nothing of what was read when.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from atsumi.connectors.personio.simulator import Simulator

OUTCOMES = {"accepted": "HIRED", "rejected": "DECLINED", "withdrawn": "DECLINED"}
BUILTIN_NAMES = {"unassigned", "rejected", "withdrawn", "offer", "accepted"}
REJECTIONS = ("rejected", "withdrawn")

NOTHING = ("offers", "interviews", "rejection-reasons", "tags", "notes", "scorecards")
"""Lists that Personio has nothing for."""
LEARNED = ("application-stages", "users", "roles")
"""Lists of what is seen in other records: what was seen once stays."""

Expected = dict[str, dict[str, dict[str, Any]]]
"""Fields by remote id by list."""


def stage_id(reference: str) -> str:
    """The remote id of a stage: a built-in one has none, so ours is its key."""
    return f"system:{reference}" if reference in BUILTIN_NAMES else reference


def expected(simulator: Simulator) -> Expected:
    """Every present record by the fields that tell it apart, of each list that Personio has something for.

    Of the lists that are learned: what the company has now.
    """
    state = simulator.state()
    names = {one["id"]: one["name"] for one in state["stages"]}
    persons = {one["id"]: one for one in state["persons"]}
    jobs = {one["id"]: one for one in state["jobs"]}
    stages = {one["id"]: [stage_id(stage) for stage in one["stages"]] for one in state["categories"]}
    by_candidate: dict[str, list[dict[str, Any]]] = {}
    for one in state["applications"]:
        by_candidate.setdefault(one["candidate_id"], []).append(one)
    moves: dict[str, list[dict[str, Any]]] = {}
    for one in state["transitions"]:
        moves.setdefault(one["application_id"], []).append(one)
    candidates = {one["id"]: _candidate(one, by_candidate.get(one["id"], [])) for one in state["candidates"]}
    members = {member["person_id"] for one in jobs.values() for member in one["hiring_team"]}
    used = {stage for one in stages.values() for stage in one} | {stage_id(name) for name in BUILTIN_NAMES}
    return {
        "applications": {one["id"]: _application(one, names, moves, candidates, jobs) for one in state["applications"]},
        "candidates": candidates,
        "jobs": {id: _job(one, persons, stages) for id, one in jobs.items()},
        "application-stages": {
            stage: {"name": None if stage.startswith("system:") else names[stage], "status": "ACTIVE"} for stage in used
        },
        "users": {id: _person(persons[id]) for id in members if id in persons},
        "roles": {member["role"]: {"scope": "JOB"} for one in jobs.values() for member in one["hiring_team"]},
        "attachments": {one["id"]: _document(one, state) for one in state["documents"]},
    }


def _application(
    one: dict[str, Any],
    names: dict[str, str],
    moves: dict[str, list[dict[str, Any]]],
    candidates: dict[str, dict[str, Any]],
    jobs: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    stage = one["stage"]
    rejections = [move["entered_at"] for move in moves.get(one["id"], ()) if move["stage"] == stage]
    candidate, job = candidates.get(one["candidate_id"]), jobs.get(one["job_id"])
    return {
        "outcome": OUTCOMES.get(stage, "PENDING"),
        "job": one["job_id"],
        "job_name": job["name"] if job else None,
        "candidate": one["candidate_id"],
        "candidate_name": candidate["last_name"] if candidate else None,
        "stage": stage_id(stage),
        "stage_name": None if stage in BUILTIN_NAMES else names[stage],
        "rejected_at": max(rejections, default=None) if stage in REJECTIONS else None,
        "created_at": one["created_at"],
        "updated_at": one["updated_at"],
    }


def _candidate(one: dict[str, Any], applications: list[dict[str, Any]]) -> dict[str, Any]:
    # An erased person: every application they have is anonymised.
    is_blank = bool(applications) and all(application["is_anonymized"] for application in applications)
    newest = max(
        applications,
        key=lambda item: (date.fromisoformat(item["application_date"]), item["created_at"], item["id"]),
        default={"channel": None},
    )

    def personal(name: str) -> Any:
        return None if is_blank else one[name]

    return {
        "first_name": personal("first_name"),
        "last_name": personal("last_name"),
        "emails": [personal("email")] if personal("email") else [],
        "phones": [personal("phone")] if personal("phone") else [],
        "location": personal("location"),
        "source": newest["channel"],
        "applications": {application["id"] for application in applications},
        "created_at": one["created_at"],
        "updated_at": one["updated_at"],
    }


def _job(one: dict[str, Any], persons: dict[str, dict[str, Any]], stages: dict[str, list[str]]) -> dict[str, Any]:
    team: dict[str, set[str]] = {}
    for member in one["hiring_team"]:
        team.setdefault(member["person_id"], set()).add(member["role"])
    return {
        "name": one["name"],
        "is_published": one["is_published"],
        "department": one["department"],
        "category": one["category"],
        "team": team,
        "team_names": {id: persons[id]["last_name"] for id in team if id in persons},
        "stages": stages.get(one["category_id"], []),
        # What only the career page shows of a job stays as it was when the job left it.
        "title": one["names"].get("de", one["name"]) if one["is_published"] else None,
        "questions": {asked["id"]: asked["is_required"] for asked in one["questions"]} if one["is_published"] else None,
        "created_at": one["created_at"],
        "updated_at": one["updated_at"],
    }


def _person(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("first_name", "last_name", "email", "status")}


def _document(one: dict[str, Any], state: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    [owner] = [item for item in state["applications"] if item["id"] == one["application_id"]]
    return {"file_name": one["name"], "application": one["application_id"], "candidate": owner["candidate_id"]}


def narrowed(simulator: Simulator, applications: Collection[str]) -> dict[str, set[str]]:
    """Remote ids of what a mode shows that keeps these applications."""
    found = [one for one in simulator.state("applications")["applications"] if one["id"] in applications]
    return {"applications": {one["id"] for one in found}, "candidates": {one["candidate_id"] for one in found}}


def shown(documents: dict[str, list[dict[str, Any]]], ids: dict[str, str]) -> Expected:
    """The same fields of what the lists show; ``ids`` are the remote ids of applications and candidates by ours."""
    return {name: {one["remote_id"]: _SHOWN[name](one, ids) for one in documents[name]} for name in _SHOWN}


def _shown_application(one: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    stage = one["current_stage"] or {"remote_id": None, "name": None}
    candidate, job = one["candidate"] or {}, one["job"] or {}
    return {
        "outcome": one["outcome"],
        "job": job.get("remote_id"),
        "job_name": job.get("name"),
        "candidate": candidate.get("remote_id"),
        "candidate_name": candidate.get("last_name"),
        "stage": stage["remote_id"],
        "stage_name": None if (stage["remote_id"] or "").startswith("system:") else stage["name"],
        "rejected_at": one["rejected_at"],
        "created_at": one["remote_created_at"],
        "updated_at": one["remote_updated_at"],
    }


def _shown_candidate(one: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    return {
        "first_name": one["first_name"],
        "last_name": one["last_name"],
        "emails": [entry["email_address"] for entry in one["email_addresses"]],
        "phones": [entry["phone_number"] for entry in one["phone_numbers"]],
        "location": one["location"]["raw"] if one["location"] else None,
        "source": one["source"],
        "applications": {entry["remote_id"] for entry in one["applications"]},
        "created_at": one["remote_created_at"],
        "updated_at": one["remote_updated_at"],
    }


def _shown_job(one: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    is_published = one["status"] == "OPEN"
    titles = {entry["remote_id"].rpartition(":")[2]: entry["title"] for entry in one["job_postings"]}
    return {
        "name": one["name"],
        "is_published": is_published,
        "department": one["department"],
        "category": one["category"],
        "team": {
            entry["remote_id"]: {role["remote_label"] for role in entry["job_roles"]} for entry in one["hiring_team"]
        },
        "team_names": {entry["remote_id"]: entry["last_name"] for entry in one["hiring_team"]},
        # Stages without a place in the order are those on which applications were seen.
        "stages": [entry["remote_id"] for entry in one["stages"] if entry["index"] is not None],
        "title": titles.get("de") if is_published else None,
        "questions": {entry["remote_id"]: entry["required"] for entry in one["screening_questions"]}
        if is_published
        else None,
        "created_at": one["remote_created_at"],
        "updated_at": one["remote_updated_at"],
    }


_SHOWN = {
    "applications": _shown_application,
    "candidates": _shown_candidate,
    "jobs": _shown_job,
    "application-stages": lambda one, ids: {
        "name": None if one["remote_id"].startswith("system:") else one["name"],
        "status": one["status"],
    },
    "users": lambda one, ids: {name: one[name] for name in ("first_name", "last_name", "email", "status")},
    "roles": lambda one, ids: {"scope": one["scope"]},
    "attachments": lambda one, ids: {
        "file_name": one["file_name"],
        "application": ids.get(one["application_id"]),
        "candidate": ids.get(one["candidate_id"]),
    },
}

FILLED = tuple(_SHOWN)
"""The lists that Personio has something for."""
