"""Makes a believable company out of a seed, the same one every time."""

from __future__ import annotations

import hashlib
import random
import uuid
from bisect import bisect_left
from datetime import UTC, date, datetime

from atsumi.connectors.personio.simulator import texts
from atsumi.connectors.personio.simulator.clock import to_milliseconds
from atsumi.connectors.personio.simulator.records import (
    BUILTIN_STAGES,
    Application,
    Attribute,
    Candidate,
    Category,
    Credential,
    Document,
    Job,
    Member,
    Named,
    Option,
    Person,
    Question,
    Salary,
    Stage,
)

ANCHOR = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
"""The generated past ends here, so that the same seed gives the same company whenever it is made."""

DAY = 86_400_000
HOUR = 3_600_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def day_of(milliseconds: int) -> int:
    """Return the ordinal of the UTC day of an instant."""
    return _EPOCH_ORDINAL + milliseconds // DAY


def secret(seed: int, purpose: str, length: int) -> str:
    """Return a made-up secret of letters and digits, fixed for seed and purpose."""
    return hashlib.sha512(f"{seed}/{purpose}".encode()).hexdigest()[:length]


class Generated:
    """A freshly generated company: lists of records, in no particular order.

    `applications` is how many applications there are; everything else is scaled to it unless given.
    """

    def __init__(
        self,
        seed: int,
        applications: int,
        *,
        jobs: int | None = None,
        persons: int | None = None,
        published_share: float = 0.4,
        anchor: datetime = ANCHOR,
    ) -> None:
        self.seed = seed
        self._random = random.Random(seed)
        self._end = to_milliseconds(anchor)
        self._start = self._end - 730 * DAY
        self.subdomain, self.company_name = texts.COMPANIES[(seed - 1) % len(texts.COMPANIES)]
        self.company_id = 9000 + seed % 1000
        self.recruiting_key = secret(seed, "recruiting key", 40)
        identity = uuid.UUID(secret(seed, "client id", 32))
        self.client_id = f"papi-{identity}"
        self.client_secret = f"papi-{secret(seed, 'client secret', 64)}"
        self.channels = [Named(250601 + index, name) for index, name in enumerate(texts.CHANNELS)]
        self.postings = {f"pid-{index:03d}": self.channels[1].id for index in range(1, 4)}
        self.tags = {"Umzug möglich", "Empfohlen", "Wiederbewerbung"}
        self.attributes = _attributes()
        self.departments = {
            name: Named(51 + index, name)
            for index, name in enumerate(dict.fromkeys(title.department for title in texts.TITLES))
        }
        self.categories = self._make_categories()
        person_count = persons if persons is not None else max(8, min(400, 8 + applications // 150))
        self.persons = [self._make_person(index) for index in range(person_count)]
        job_count = jobs if jobs is not None else max(6, min(2000, 6 + applications // 70))
        self.jobs = self._make_jobs(job_count, published_share)
        self.candidates: list[Candidate] = []
        self.applications: list[Application] = []
        if self.jobs:
            self._make_applications(applications)

    def credential(self, scopes: tuple[str, ...]) -> Credential:
        """Return the company's own credential, holding `scopes`."""
        return Credential(self.client_id, self.client_secret, scopes)

    def _make_categories(self) -> list[Category]:
        categories = []
        stage_id = 26401
        for index, (name, stage_names) in enumerate(texts.STAGE_SETS.items()):
            own = []
            for stage_name in stage_names:
                own.append(Stage(stage_id, None, stage_name))
                stage_id += 7
            stages = [BUILTIN_STAGES["unassigned"], *own]
            stages += [BUILTIN_STAGES[key] for key in ("offer", "accepted", "rejected", "withdrawn")]
            initial = own[0] if name == "Tech" else BUILTIN_STAGES["unassigned"]
            categories.append(Category(11 + index, name, stages, initial, self._start + index))
        return categories

    def _make_person(self, index: int) -> Person:
        rand = self._random
        given, gender, given_mail = rand.choice(texts.GIVEN_NAMES)
        family, family_mail = rand.choice(texts.FAMILY_NAMES)
        created = self._start - rand.randrange(1, 2000) * DAY + rand.randrange(DAY)
        return Person(
            id=3001 + 3 * index,
            first_name=given,
            last_name=family,
            email=f"{given_mail}.{family_mail}{index}@{self.subdomain}.example",
            gender=gender.upper(),
            status="INACTIVE" if rand.random() < 0.08 else "ACTIVE",
            employment_id=str(uuid.UUID(int=rand.getrandbits(128), version=4)),
            created_at=created,
            updated_at=rand.randrange(created, self._end),
        )

    def _make_jobs(self, count: int, published_share: float) -> list[Job]:
        rand = self._random
        # Half of the positions are older than the oldest application, so that each application finds an open one.
        created = sorted(
            rand.randrange(self._start - 200 * DAY, self._start)
            if index < (count + 1) // 2
            else rand.randrange(self._start, self._end - DAY)
            for index in range(count)
        )
        jobs = [self._make_job(4101 + 3 * index, created[index]) for index in range(count)]
        for job in rand.sample(jobs, max(1, round(count * published_share)) if count else 0):
            job.is_published = True
        return jobs

    def _make_job(self, job_id: int, created: int) -> Job:
        rand = self._random
        title = rand.choice(texts.TITLES)
        prefix = rand.choice(texts.SENIORITY_PREFIXES) if title.category == "Tech" else ""
        category = next(item for item in self.categories if item.name == title.category)
        members = [
            Member(person.id, rand.choice(texts.ROLES))
            for person in rand.sample(self.persons, min(len(self.persons), rand.choice((0, 1, 2, 2, 3))))
        ]
        is_student = title.category == "Studierende"
        required = ["documents.cv"] + (["phone"] if rand.random() < 0.3 else [])
        return Job(
            id=job_id,
            name=prefix + title.de,
            department=self.departments[title.department] if rand.random() < 0.96 else None,
            category_id=category.id if rand.random() < 0.97 else None,
            hiring_team=members,
            created_at=created,
            updated_at=rand.randrange(created, self._end),
            names={"de": prefix + title.de, "en": prefix + title.en},
            subcompany=self.company_name if rand.random() < 0.7 else None,
            office=rand.choice(texts.OFFICES),
            additional_offices=rand.sample(texts.OFFICES, 2) if rand.random() < 0.25 else [],
            employment_type=rand.choice(("intern", "working_student", "trainee"))
            if is_student
            else rand.choice(("permanent", "permanent", "permanent", "freelance", "temporary")),
            seniority="student" if is_student else rand.choice(("entry-level", "experienced", "executive")),
            schedule=rand.choice(("full-time", "full-time", "part-time", "full-or-part-time")),
            years_of_experience=rand.choice((None, "lt-1", "1-2", "2-5", "5-7", "7-10", "gt-15")),
            keywords=title.keywords or None,
            occupation=title.occupation,
            occupation_category=title.occupation_category,
            salary=_salary(rand),
            questions=[
                Question(attribute.id, rand.random() < 0.5)
                for attribute in rand.sample(self.attributes, rand.randrange(0, len(self.attributes)))
            ],
            required_fields=required,
        )

    def _make_applications(self, count: int) -> None:
        rand = self._random
        span = self._end - self._start - DAY
        times = sorted(self._start + int(span * rand.random()) for _ in range(count))
        opened = [job.created_at for job in self.jobs]
        category_of = {category.id: category for category in self.categories}
        taken: set[tuple[int, int]] = set()
        mailboxes: dict[str, int] = {}
        for index, created in enumerate(times):
            # Newer positions draw more applications than older ones.
            latest = bisect_left(opened, created)
            job = self.jobs[max(0, latest - 1 - int(rand.expovariate(6 / max(latest, 1)))) if latest else 0]
            candidate = None
            if self.candidates and rand.random() < 0.14:
                candidate = self.candidates[-1 - int(rand.random() * min(len(self.candidates), 400))]
                if (candidate.id, job.id) in taken:
                    candidate = None
            if candidate is None:
                candidate = self._make_candidate(700_101 + len(self.candidates), created, mailboxes)
                self.candidates.append(candidate)
            taken.add((candidate.id, job.id))
            application_id = 490_001 + index
            candidate.applications.append(application_id)
            stage, updated = self._place(category_of.get(job.category_id or 0), created)
            applied = day_of(created) - (rand.randrange(1, 6) if rand.random() < 0.1 else 0)
            channel = self.channels[int(rand.random() * len(self.channels))] if rand.random() < 0.9 else None
            self.applications.append(
                Application(application_id, candidate.id, job.id, stage, channel, applied, created, updated)
            )

    def _place(self, category: Category | None, created: int) -> tuple[Stage, int]:
        """Return where an application of this age has got to, and when it last moved."""
        rand = self._random
        age = self._end - created
        own = [stage for stage in category.stages if stage.key is None] if category else []
        initial = category.initial if category else BUILTIN_STAGES["unassigned"]
        chance = rand.random()
        settled = min(age / (60 * DAY), 1.0) * 0.93
        if chance < settled * 0.74:
            return BUILTIN_STAGES["rejected"], created + int(min(age, 45 * DAY) * rand.random())
        if chance < settled * 0.86:
            return BUILTIN_STAGES["withdrawn"], created + int(min(age, 40 * DAY) * rand.random())
        if chance < settled:
            return BUILTIN_STAGES["accepted"], created + int(min(age, 70 * DAY) * rand.random())
        if chance > 0.985:
            return BUILTIN_STAGES["offer"], created + int(min(age, 50 * DAY) * rand.random())
        if not own or rand.random() < 0.3:
            return initial, created
        return own[int(rand.random() ** 1.5 * len(own))], created + int(min(age, 30 * DAY) * rand.random())

    def _make_candidate(self, candidate_id: int, created: int, mailboxes: dict[str, int]) -> Candidate:
        rand = self._random
        given, gender, given_mail = texts.GIVEN_NAMES[int(rand.random() * len(texts.GIVEN_NAMES))]
        family, family_mail = texts.FAMILY_NAMES[int(rand.random() * len(texts.FAMILY_NAMES))]
        mailbox = f"{given_mail}.{family_mail}"
        seen = mailboxes.get(mailbox, 0)
        mailboxes[mailbox] = seen + 1
        domain = texts.MAIL_DOMAINS[seen % len(texts.MAIL_DOMAINS)]
        number = seen // len(texts.MAIL_DOMAINS)
        bits = rand.getrandbits(40)
        later = int((self._end - created) * rand.random()) if bits % 10 == 0 else 0
        return Candidate(
            id=candidate_id,
            first_name=given,
            last_name=family,
            email=f"{mailbox}{number or ''}@{domain}",
            gender=None if bits & 3 == 0 else ("undefined" if bits & 31 == 1 else gender),
            phone=f"+49 30 5550{bits >> 8 & 0xFFFF:05d}" if bits & 12 else None,
            location=texts.PLACES[(bits >> 4) % len(texts.PLACES)] if bits & 48 else None,
            birthday=day_of(0) - 3650 + (bits >> 12) % 14000 if bits & 64 else None,
            linkedin_profile=f"https://www.linkedin.com/in/example-{candidate_id}" if bits & 384 == 0 else None,
            available_from=texts.AVAILABLE_FROM[(bits >> 9) % len(texts.AVAILABLE_FROM)] if bits & 512 else None,
            applications=[],
            created_at=created,
            updated_at=created + later,
        )


def _salary(rand: random.Random) -> Salary | None:
    if rand.random() < 0.6:
        return None
    low = rand.randrange(30, 90)
    return Salary(f"{low}000.00", f"{low + rand.randrange(5, 25)}000.00" if rand.random() < 0.7 else "")


def _attributes() -> list[Attribute]:
    attributes = []
    option_number = 1
    for index, asked in enumerate(texts.QUESTIONS):
        options = []
        for german, english in asked.options:
            options.append(Option(f"custom_option_{option_number}", {"de": german, "en": english}))
            option_number += 1
        description = {"de": asked.hint_de, "en": asked.hint_en} if asked.hint_de else {}
        attributes.append(
            Attribute(
                f"custom_attribute_{1101 + index}",
                asked.kind,
                {"de": asked.de, "en": asked.en},
                description,
                tuple(options),
            )
        )
    return attributes


def stage_history(seed: int, application: Application, category: Category | None) -> list[tuple[int, Stage]]:
    """Return how a generated application came to its stage: oldest first, the last entry is the current stage.

    The first entry has the instant of creation, the last one that of the application's last change; always the
    same for a seed and an application that was not edited.
    """
    rand = random.Random(seed * 1_000_003 + application.id)
    initial = category.initial if category else BUILTIN_STAGES["unassigned"]
    history = [(application.created_at, initial)]
    if application.stage.reference == initial.reference:
        return history
    own = [stage for stage in category.stages if stage.key is None and stage.id != initial.id] if category else []
    places = [stage.id for stage in own]
    reached = places.index(application.stage.id) if application.stage.id in places else rand.randint(0, len(own))
    passed = own[:reached]
    span = max(application.updated_at - application.created_at, len(passed) + 1)
    cuts = sorted(rand.sample(range(1, span), min(len(passed), span - 1)))
    history += [(application.created_at + cut, stage) for cut, stage in zip(cuts, passed, strict=False)]
    history.append((application.created_at + span, application.stage))
    return history


def documents_of(seed: int, application: Application) -> list[Document]:
    """Return the files of a generated application; ids are ten times the application's id plus a digit."""
    rand = random.Random(seed * 7_000_003 + application.id)
    kinds = [
        ("Lebenslauf.pdf", "cv", 0.85),
        ("Anschreiben.pdf", "cover-letter", 0.4),
        ("Zeugnis Übersicht.pdf", "certificate", 0.15),
    ]
    return [
        Document(application.id * 10 + index, application.id, name, category, application.created_at)
        for index, (name, category, share) in enumerate(kinds)
        if rand.random() < share
    ]
