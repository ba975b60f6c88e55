"""What Kombo's surface shows of a record, in the words of Bindbee's: conversions of ids, places, words and lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from atsumi.dialects.bindbee.projection import INVALID_PATH
from atsumi.model.ids import from_base58
from atsumi.model.names import Model
from atsumi.sync.raw_documents import raw_document
from harness import Account

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Both:
    """A whole account: the lists of both surfaces, by the id that each of them spells."""

    account: Account
    bindbee: Mapping[str, Mapping[str, Document]]
    kombo: Mapping[str, Mapping[str, Document]]

    def id(self, model: Model, remote_id: str) -> str | None:
        return uuid(self.account.id(model, remote_id))


@dataclass(frozen=True)
class Shown:
    """One record, as Bindbee's and as Kombo's surface shows it."""

    ours: Document
    theirs: Document
    both: Both


Side = Callable[[Shown], Any]


@dataclass(frozen=True)
class Pair:
    """What Kombo shows, and what Bindbee shows where its own value needs a conversion, too."""

    theirs: Side
    ours: Side | None = None


@dataclass(frozen=True)
class Compared:
    """One of Bindbee's lists. ``records`` are Kombo's documents, by the remote ids of Bindbee's.

    A partial one has records of which Kombo shows nothing.
    """

    records: Callable[[Both], Mapping[str, Document]]
    pairs: Mapping[str, Pair]
    not_shown: Mapping[str, str]
    is_partial: bool = False


# From Kombo's spelling to Bindbee's.


def uuid(spelled: str | None) -> str | None:
    return None if spelled is None else str(from_base58(spelled))


def shown(name: str) -> Pair:
    return Pair(lambda one: one.theirs[name])


def same(names: str) -> dict[str, Pair]:
    return {name: shown(name) for name in names.split()}


def reference(name: str) -> Pair:
    return Pair(lambda one: uuid(one.theirs[name]))


def word(name: str, words: Mapping[Any, Any]) -> Pair:
    return Pair(lambda one: words[one.theirs[name]])


def place(location: Document | None) -> str | None:
    if location is None or location["raw"]:
        return location and location["raw"]
    town = " ".join(filter(None, (location["zip_code"], location["city"])))
    lines = (location["street_1"], location["street_2"], town, location["state"], location["country"])
    return ", ".join(filter(None, lines)) or None


def job_stage(both: Both, job: str | None, stage: str | None) -> str | None:
    """The place in a job's process of a stage, both by Kombo's ids."""
    if job is None or stage is None:
        return None
    names = (both.kombo["jobs"][job]["remote_id"], both.kombo["application-stages"][stage]["remote_id"])
    return both.id(Model.JOB_STAGE, ":".join(names))


def in_jobs(name: str) -> Callable[[Both], Mapping[str, Document]]:
    """Documents that Kombo shows inside its jobs, with the job."""

    def records(both: Both) -> Mapping[str, Document]:
        return {
            f"{job['remote_id']}:{part['remote_id']}": {**part, "job_id": job["id"]}
            for job in both.kombo["jobs"].values()
            for part in job[name]
        }

    return records


def listed(name: str) -> Callable[[Both], Mapping[str, Document]]:
    return lambda both: {row["remote_id"]: row for row in both.kombo[name].values()}


def named_in_jobs(name: str, key: str) -> Callable[[Both], Mapping[str, Document]]:
    """Jobs whose one text is all that Kombo shows of the records at which they point first."""

    def records(both: Both) -> Mapping[str, Document]:
        return {
            both.bindbee[name][id]["remote_id"]: job
            for job in both.kombo["jobs"].values()
            for id in both.bindbee["jobs"][uuid(job["id"]) or ""][name][:1]
            if job[key] is not None
        }

    return records


# Fields of single lists.


def address(written: str | None) -> str | None:
    """Kombo shows what can be an address only, with its domain in lower case."""
    local, at, domain = (written or "").rpartition("@")
    return f"{local}@{domain.lower()}" if at and local and domain else None


def addresses(one: Shown) -> list[str]:
    return [kept for written in one.ours["email_addresses"] if (kept := address(written)) is not None]


def profiles(one: Shown) -> list[Document]:
    """Kombo says which network a profile belongs to, Bindbee only that it is one."""
    return [{"value": entry["link"], "url_type": "SOCIAL_MEDIA"} for entry in one.theirs["social_media"]]


def attachments_of(one: Shown) -> list[str | None]:
    rows = one.both.kombo["attachments"].values()
    return sorted(str(uuid(row["id"])) for row in rows if row["candidate_id"] == one.theirs["id"])


def adverts(one: Shown) -> list[Document]:
    found = [one.theirs["post_url"], *(posting["url"] for posting in one.theirs["job_postings"])]
    return [{"value": url, "url_type": "JOB_POSTING"} for url in dict.fromkeys(found) if url is not None]


def team(role: str, name: str) -> Pair:
    def theirs(one: Shown) -> list[str]:
        members = one.theirs["hiring_team"]
        in_role = [member for member in members if role in {part["unified_type"] for part in member["job_roles"]}]
        return sorted(str(uuid(member["id"])) for member in in_role)

    return Pair(theirs, lambda one: sorted(one.ours[name]))


def reason(one: Shown) -> str | None:
    """Kombo shows a rejection reason by its name."""
    id = one.ours["reject_reason"]
    return None if id is None else one.both.bindbee["reject-reasons"][id]["name"]


def interviews_stage(one: Shown) -> str | None:
    application = one.both.kombo["applications"][one.theirs["application_id"]]
    return job_stage(one.both, application["job_id"], one.theirs["stage_id"])


def question_type(one: Shown) -> str | None:
    asked = one.theirs["format"]
    if asked is None:
        return None
    is_long = asked.get("display_type") == "MULTI_LINE"
    words = {"TEXT": "MULTI_LINE_TEXT" if is_long else "SINGLE_LINE_TEXT", "NUMBER": "NUMERIC", "UNKNOWN": "-"}
    return words.get(asked["type"], asked["type"])


def options(one: Shown) -> list[Document]:
    found = (one.theirs["format"] or {}).get("options", [])
    return [{"remote_id": option["remote_id"], "name": option["name"]} for option in found]


def mapped(one: Shown) -> Mapping[str, Any]:
    """The mapped ones among the custom fields: Kombo shows no others, and no value where a path leads nowhere."""
    found = {name: one.ours["custom_fields"][name] for name in one.theirs["custom_fields"]}
    return {name: None if value == INVALID_PATH else value for name, value in found.items()}


def raw(one: Shown) -> Document | None:
    parts = one.theirs["remote_data"]
    return None if parts is None else raw_document(parts.items())
