"""The career feed (Personio NOTES section 10). No HTTP."""

from __future__ import annotations

from datetime import timedelta, timezone
from xml.sax.saxutils import escape

from atsumi.connectors.personio.simulator import texts
from atsumi.connectors.personio.simulator.clock import from_milliseconds
from atsumi.connectors.personio.simulator.records import Job
from atsumi.connectors.personio.simulator.state import Company
from atsumi.connectors.personio.simulator.switches import Switches

_SUMMER = timezone(timedelta(hours=2))


def language_for(switches: Switches, asked: str | None) -> str:
    """Return the language whose texts are shown: the one asked for if it has texts, else the default."""
    return asked if asked in switches.feed_languages else switches.feed_default_language


def feed(company: Company, switches: Switches, asked: str | None) -> bytes:
    """Return the published positions as XML, in the language asked for if the career site has it."""
    language = language_for(switches, asked)
    positions = "".join(_position(company, job, language) for job in company.published_jobs())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<workzag-jobs>\n{positions}</workzag-jobs>\n'.encode()


def job_name(job: Job, language: str) -> str:
    """Return the title of a job in a language, as far as there is one."""
    return job.names.get(language) or job.names.get("de") or job.name


def job_sections(job: Job, language: str) -> list[tuple[str, str]]:
    """Return the text of a job as (heading, HTML) pairs."""
    if job.descriptions is None:
        department = job.department.name if job.department else "Team"
        return texts.descriptions(job_name(job, language), department, language)
    return job.descriptions.get(language) or next(iter(job.descriptions.values()), [])


def _position(company: Company, job: Job, language: str) -> str:
    category = company.categories.get(job.category_id) if job.category_id is not None else None
    # Both spellings of the offset occur in feeds.
    created = from_milliseconds(job.created_at).astimezone(_SUMMER)
    created_text = created.isoformat(timespec="seconds") if job.id % 2 else created.strftime("%Y-%m-%dT%H:%M:%S%z")
    offices = "".join(_element("office", office, 3) for office in job.additional_offices)
    lines = [
        _element("id", str(job.id)),
        _element("subcompany", job.subcompany),
        _element("office", job.office),
        f"\t\t<additionalOffices>\n{offices}\t\t</additionalOffices>\n" if offices else "",
        _element("department", job.department.name if job.department else None),
        _element("recruitingCategory", category.name if category else None),
        _element("name", job_name(job, language)),
        _descriptions(job_sections(job, language)),
        _element("employmentType", job.employment_type),
        _element("seniority", job.seniority),
        _element("schedule", job.schedule),
        _element("yearsOfExperience", job.years_of_experience),
        _element("keywords", job.keywords),
        _element("occupation", job.occupation),
        _element("occupationCategory", job.occupation_category),
        _element("createdAt", created_text),
        _salary(job),
    ]
    return f"\t<position>\n{''.join(lines)}\t</position>\n"


def _element(name: str, value: str | None, depth: int = 2) -> str:
    return "" if value is None else f"{chr(9) * depth}<{name}>{escape(value)}</{name}>\n"


def _descriptions(sections: list[tuple[str, str]]) -> str:
    if not sections:
        return "\t\t<jobDescriptions/>\n"
    parts = []
    for heading, html in sections:
        safe = html.replace("]]>", "]]]]><![CDATA[>")
        parts.append(
            f"\t\t\t<jobDescription>\n{_element('name', heading, 4)}"
            f"\t\t\t\t<value>\n\t\t\t\t\t<![CDATA[\n\t\t\t\t\t{safe}\n\t\t\t\t\t]]>\n\t\t\t\t</value>\n"
            "\t\t\t</jobDescription>\n"
        )
    return f"\t\t<jobDescriptions>\n{''.join(parts)}\t\t</jobDescriptions>\n"


def _salary(job: Job) -> str:
    if job.salary is None:
        return ""
    salary = job.salary
    inner = "".join(
        _element(name, value, 3)
        for name, value in (
            ("min", salary.minimum),
            ("max", salary.maximum),
            ("currencySymbol", salary.currency_symbol),
            ("currencyCode", salary.currency_code),
            ("type", salary.type),
        )
    )
    return f"\t\t<salaryInformation>\n{inner}\t\t</salaryInformation>\n"
