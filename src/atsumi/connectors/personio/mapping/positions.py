"""What a position of the career feed says about a job (Personio NOTES sections 10 and 18)."""

from __future__ import annotations

from html import escape
from typing import Any

import nh3

from atsumi.connector.reading import Reader
from atsumi.connectors.personio.feed import PositionText
from atsumi.model.enums import EmploymentType, SalaryPeriod
from atsumi.model.parts import Location
from atsumi.model.record import JsonValue

_EMPLOYMENT_TYPES: dict[str, EmploymentType | None] = {
    "permanent": None,  # the schedule decides
    "intern": EmploymentType.INTERNSHIP,
    "trainee": EmploymentType.APPRENTICESHIP,
    "freelance": EmploymentType.FREELANCE,
    "temporary": EmploymentType.TEMPORARY,
    "working_student": EmploymentType.WORKING_STUDENT,
}
"""Words C, their meaning I (section 18)."""

_SCHEDULES: dict[str, EmploymentType | None] = {
    "full-time": EmploymentType.FULL_TIME,
    "part-time": EmploymentType.PART_TIME,
    "full-or-part-time": None,  # either, so neither
}

_SALARY_PERIODS = {
    "yearly": SalaryPeriod.YEAR,
    "monthly": SalaryPeriod.MONTH,
    "weekly": SalaryPeriod.WEEK,
    "daily": SalaryPeriod.DAY,
    "hourly": SalaryPeriod.HOUR,
}
""""yearly" C, the others by analogy (I)."""

_EXTRA_FIELDS = ("subcompany", "keywords", "occupation", "occupationCategory", "yearsOfExperience")


def employment_type(position: PositionText, reader: Reader) -> tuple[EmploymentType | None, str | None]:
    """The employment type, and the feed's own words for it. Unknown words are counted."""
    kind, schedule = position.fields.get("employmentType"), position.fields.get("schedule")
    words = ", ".join(word for word in (kind, schedule) if word) or None
    by_schedule = reader.word(schedule, "schedule", _SCHEDULES)
    by_kind = reader.word(kind, "employmentType", _EMPLOYMENT_TYPES)
    is_permanent = kind is None or kind.lower() == "permanent"
    return by_schedule if is_permanent else by_kind, words


def description(position: PositionText) -> str | None:
    """All sections as safe HTML, each heading before its text (source C, joining I)."""
    parts = []
    for heading, html in position.sections:
        if heading:
            parts.append(f"<h3>{escape(heading, quote=False)}</h3>")
        if html:
            parts.append(nh3.clean(html).strip())
    return "\n".join(part for part in parts if part) or None


def locations(position: PositionText) -> list[Location]:
    """Main office first, then the others; free text, so no country is guessed."""
    return [Location(raw=name) for name in offices(position)]


def offices(position: PositionText) -> list[str]:
    """Names of the offices, each once, the main one first."""
    return list(dict.fromkeys(name for name in (position.fields.get("office"), *position.additional_offices) if name))


def salary(position: PositionText, reader: Reader) -> dict[str, Any]:
    """Salary fields of a job. A period that no table knows stays raw and is counted."""
    found = position.salary
    currency = found.get("currencyCode", "").upper()
    return {
        "salary_amount_from": reader.number(found.get("min"), "salaryInformation.min"),
        "salary_amount_to": reader.number(found.get("max"), "salaryInformation.max"),
        "salary_currency": currency if len(currency) == 3 and currency.isalpha() and currency.isascii() else None,
        "salary_period": reader.word(found.get("type"), "salaryInformation.type", _SALARY_PERIODS),
        "salary_period_raw": found.get("type"),
    }


def custom_fields(position: PositionText) -> dict[str, JsonValue]:
    """Fields without a place in the model, under the feed's names; keywords as a list (section 18, C)."""
    found: dict[str, JsonValue] = {name: position.fields[name] for name in _EXTRA_FIELDS if name in position.fields}
    if "keywords" in found:
        found["keywords"] = [word for part in position.fields["keywords"].split(",") if (word := part.strip())]
    if position.salary:
        found["salaryInformation"] = dict(position.salary)
    return found
