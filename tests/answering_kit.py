"""Answers to whatever a job asks, as a caller of Kombo's surface gives them."""

from __future__ import annotations

import base64
from typing import Any

PDF = b"%PDF-1.7 a life of glass"


def answers_to(job: dict[str, Any]) -> list[dict[str, Any]]:
    """An answer to every screening question of a job, as the jobs list shows it."""
    return [
        {"question_id": question["id"], "answer": _answer(question["format"])}
        for question in job["screening_questions"]
    ]


def _answer(format: dict[str, Any]) -> Any:
    match format["type"]:
        case "TEXT":
            return "Twelve years"
        case "NUMBER":
            return 12
        case "BOOLEAN":
            return True
        case "DATE":
            return "2027-01-15"
        case "SINGLE_SELECT":
            return format["options"][0]["id"]
        case "MULTI_SELECT":
            return [one["id"] for one in format["options"]]
        case "FILE":
            file = base64.b64encode(PDF).decode()
            return {"name": "sample.pdf", "content_type": "application/pdf", "data": file}
        case other:
            raise AssertionError(f"nothing is known of questions of type {other}")
