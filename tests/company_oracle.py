"""What the API's lists must show of a simulated company, as plain dictionaries.

Written from the notes on the connector, not from its mapping: the source is the simulator's own account of the truth,
which knows nothing of what was read when.
"""

from __future__ import annotations

from typing import Any

from atsumi.connectors.personio.simulator import Simulator

OUTCOMES = {"accepted": "HIRED", "rejected": "DECLINED", "withdrawn": "DECLINED"}
BUILTIN_NAMES = {"unassigned", "rejected", "withdrawn", "offer", "accepted"}
REJECTIONS = ("rejected", "withdrawn")

Expected = dict[str, dict[str, dict[str, Any]]]
"""Fields by remote id by list."""


def stage_id(reference: str) -> str:
    """The remote id of a stage: a built-in one has none, so ours is its key."""
    return f"system:{reference}" if reference in BUILTIN_NAMES else reference


def expected(simulator: Simulator) -> Expected:
    """Every present application, candidate and job, by the fields that tell them apart."""
    state = simulator.state()
    names = {one["id"]: one["name"] for one in state["stages"]}
    persons = {one["id"]: one for one in state["persons"]}
    by_candidate: dict[str, list[dict[str, Any]]] = {}
    for one in state["applications"]:
        by_candidate.setdefault(one["candidate_id"], []).append(one)
    moves: dict[str, list[dict[str, Any]]] = {}
    for one in state["transitions"]:
        moves.setdefault(one["application_id"], []).append(one)
    return {
        "applications": {one["id"]: _application(one, names, moves) for one in state["applications"]},
        "candidates": {one["id"]: _candidate(one, by_candidate.get(one["id"], [])) for one in state["candidates"]},
        "jobs": {one["id"]: _job(one, persons) for one in state["jobs"]},
    }


def _application(one: dict[str, Any], names: dict[str, str], moves: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    stage = one["stage"]
    rejections = [move["entered_at"] for move in moves.get(one["id"], ()) if move["stage"] == stage]
    return {
        "outcome": OUTCOMES.get(stage, "PENDING"),
        "job": one["job_id"],
        "candidate": one["candidate_id"],
        "stage": stage_id(stage),
        "stage_name": None if stage in BUILTIN_NAMES else names[stage],
        "rejected_at": max(rejections, default=None) if stage in REJECTIONS else None,
    }


def _candidate(one: dict[str, Any], applications: list[dict[str, Any]]) -> dict[str, Any]:
    # An erased person: every application they have is anonymised.
    is_blank = bool(applications) and all(application["is_anonymized"] for application in applications)
    return {
        "first_name": None if is_blank else one["first_name"],
        "last_name": None if is_blank else one["last_name"],
        "emails": [] if is_blank or not one["email"] else [one["email"]],
        "applications": {application["id"] for application in applications},
    }


def _job(one: dict[str, Any], persons: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "is_published": one["is_published"],
        "department": one["department"],
        "category": one["category"],
        "team": {
            member["person_id"]: persons[member["person_id"]]["last_name"]
            for member in one["hiring_team"]
            if member["person_id"] in persons
        },
    }


def shown(documents: dict[str, list[dict[str, Any]]]) -> Expected:
    """The same fields of what the lists show."""
    return {
        "applications": {one["remote_id"]: _shown_application(one) for one in documents["applications"]},
        "candidates": {
            one["remote_id"]: {
                "first_name": one["first_name"],
                "last_name": one["last_name"],
                "emails": [entry["email_address"] for entry in one["email_addresses"]],
                "applications": {entry["remote_id"] for entry in one["applications"]},
            }
            for one in documents["candidates"]
        },
        "jobs": {
            one["remote_id"]: {
                "name": one["name"],
                "is_published": one["status"] == "OPEN",
                "department": one["department"],
                "category": one["category"],
                "team": {entry["remote_id"]: entry["last_name"] for entry in one["hiring_team"]},
            }
            for one in documents["jobs"]
        },
    }


def _shown_application(one: dict[str, Any]) -> dict[str, Any]:
    stage = one["current_stage"] or {"remote_id": None, "name": None}
    return {
        "outcome": one["outcome"],
        "job": one["job"]["remote_id"] if one["job"] else None,
        "candidate": one["candidate"]["remote_id"] if one["candidate"] else None,
        "stage": stage["remote_id"],
        "stage_name": None if (stage["remote_id"] or "").startswith("system:") else stage["name"],
        "rejected_at": one["rejected_at"],
    }
