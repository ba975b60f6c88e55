"""The career site: feed and application forms."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest
from lxml import etree, html

from atsumi.connectors.personio.tests.simulator_kit import ORIGIN, Probe, simulated


@pytest.fixture
def probe() -> Probe:
    return Probe(simulated(200))


def positions(body: bytes) -> dict[str, etree._Element]:
    root = etree.fromstring(body)
    assert root.tag == "workzag-jobs"
    return {str(item.findtext("id")): item for item in root}


async def test_the_feed_shows_exactly_the_published_jobs(probe: Probe) -> None:
    published = [item["id"] for item in probe.simulator.state("published")["published"]]
    answer = await probe.feed()
    assert answer.headers["content-type"].startswith("text/xml")
    assert list(positions(answer.content)) == published
    probe.simulator.unpublish_job(published[0])
    assert list(positions((await probe.feed()).content)) == published[1:]
    probe.simulator.publish_job(published[0])
    assert list(positions((await probe.feed()).content)) == published


async def test_a_position_carries_what_the_job_has_and_omits_the_rest(probe: Probe) -> None:
    job = probe.simulator.create_job(
        "Prüfer <alles> & mehr",
        department="Qualität",
        category_id=11,
        office="Kassel",
        additional_offices=["Wien", "Remote"],
        employment_type="permanent",
        salary={"minimum": "50000.00", "maximum": ""},
        descriptions={"de": [("Über uns", "<p>Ein ]]> steht hier</p>")]},
    )
    item = positions((await probe.feed()).content)[str(job)]
    assert item.findtext("name") == "Prüfer <alles> & mehr"
    assert item.findtext("department") == "Qualität"
    assert item.findtext("recruitingCategory") == "Fachkräfte"
    assert [office.text for office in item.findall("additionalOffices/office")] == ["Wien", "Remote"]
    assert (item.findtext("salaryInformation/min"), item.findtext("salaryInformation/max")) == ("50000.00", "")
    value = item.findtext("jobDescriptions/jobDescription/value") or ""
    assert value != value.strip()
    assert value.strip() == "<p>Ein ]]> steht hier</p>"
    assert item.find("seniority") is None
    assert item.find("keywords") is None
    probe.simulator.edit_job(job, descriptions={}, office=None)
    item = positions((await probe.feed()).content)[str(job)]
    assert item.find("jobDescriptions") is not None
    assert item.find("jobDescriptions/jobDescription") is None


async def test_languages_without_texts_show_the_default(probe: Probe) -> None:
    bodies = {language: (await probe.feed(language)).content for language in ("de", "en", "fr", "es", "nl", "it", "pt")}
    assert bodies["en"] != bodies["de"]
    assert {bodies[language] for language in ("fr", "es", "nl", "it", "pt")} == {bodies["de"]}
    assert (await probe.feed(None)).content == bodies["de"]
    probe.simulator.switch(feed_default_language="en", feed_languages=["en"])
    assert (await probe.feed("de")).content == bodies["en"]


async def test_head_tells_when_the_feed_changed(probe: Probe) -> None:
    path = f"/career/{probe.simulator.company.subdomain}/xml"
    before = await probe.http.head(path)
    assert (before.status_code, before.content) == (200, b"")
    probe.simulator.clock.advance(3600)
    probe.simulator.edit_job(probe.simulator.state("published")["published"][0]["id"], office="Ulm")
    after = await probe.http.head(path)
    instants = [parsedate_to_datetime(answer.headers["last-modified"]) for answer in (before, after)]
    assert instants[0] < instants[1]


async def test_the_feed_fails_in_every_way_that_was_seen(probe: Probe) -> None:
    async def switched(mode: str) -> tuple[int, str, bytes]:
        probe.simulator.switch(feed=mode)
        answer = await probe.feed()
        return answer.status_code, answer.headers.get("content-type", ""), answer.content

    status, kind, body = await switched("off")
    assert (status, kind.partition(";")[0]) == (200, "text/html")
    assert b"workzag-jobs" not in body
    assert (await switched("redirect"))[0] == 302
    assert (await switched("rate_limited"))[0] == 429
    assert (await switched("unavailable"))[0] == 503
    status, kind, body = await switched("malformed")
    assert (status, kind.partition(";")[0]) == (200, "text/xml")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(body)


async def test_an_unknown_company_is_a_404_in_html(probe: Probe) -> None:
    for path in ("/career/nobody/xml", "/career/nobody/job/1/apply", "/xml"):
        answer = await probe.http.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


async def test_the_host_header_names_the_company_too(probe: Probe) -> None:
    headers = {"Host": f"{probe.simulator.company.subdomain}.jobs.tool.example"}
    assert (await probe.http.get("/xml?language=de", headers=headers)).content == (await probe.feed()).content
    assert (await probe.http.get("/xml", headers={"Host": "nobody.jobs.tool.example"})).status_code == 404


async def form(probe: Probe, job: int | str, language: str = "en") -> html.HtmlElement:
    answer = await probe.http.get(f"/career/{probe.simulator.company.subdomain}/job/{job}/apply?language={language}")
    assert answer.status_code == 200
    return html.fromstring(answer.text)


def label(page: html.HtmlElement, name: str) -> str:
    [found] = page.xpath("//label[@for=$name]", name=f"field-{name}")
    return str(found.text_content())


def make_job(probe: Probe) -> int:
    questions = [
        {"attribute_id": item, "is_required": index % 2 == 0}
        for index, item in enumerate(probe.simulator.company.attributes)
    ]
    return probe.simulator.create_job("Alles gefragt", questions=questions, required_fields=["documents.cv"])


async def test_the_form_asks_every_question_in_order_with_stable_names(probe: Probe) -> None:
    job = make_job(probe)
    page = await form(probe, job)
    controls = page.xpath("//form//*[self::input or self::textarea or self::select]")
    assert all(control.get("id") == f"field-{control.get('name')}" for control in controls)
    names = [control.get("name") for control in controls]
    assert names[:4] == ["first_name", "last_name", "email", "phone"]
    assert names[-3:] == ["documents.cv", "documents.cover-letter", "documents.other"]
    asked = [name for name in names if name.startswith("custom_attribute_")]
    assert asked == list(probe.simulator.company.attributes)
    kinds = {control.get("name"): (control.tag, control.get("type")) for control in controls}
    expected = {
        "text": ("input", "text"),
        "textarea": ("textarea", None),
        "select": ("select", None),
        "multiselect": ("select", None),
        "checkbox": ("input", "checkbox"),
        "number": ("input", "number"),
        "date": ("input", "date"),
        "file": ("input", "file"),
    }
    for item in probe.simulator.company.attributes.values():
        assert kinds[item.id] == expected[item.kind]


@pytest.mark.parametrize(("language", "suffix"), [("en", "* (required)"), ("de", "* (erforderlich)")])
async def test_required_is_told_by_the_label(probe: Probe, language: str, suffix: str) -> None:
    job = make_job(probe)
    page = await form(probe, job, language)
    first, second = list(probe.simulator.company.attributes.values())[:2]
    assert label(page, first.id) == first.label[language] + suffix
    assert label(page, second.id) == second.label[language]
    assert label(page, "documents.cv").endswith(suffix)
    assert not label(page, "phone").endswith("*")
    assert not page.xpath("//*[@required]")
    probe.simulator.switch(form_required_mark="star")
    assert label(await form(probe, job, language), first.id) == f"{first.label[language]} *"


async def test_a_selects_first_option_is_a_placeholder_and_values_are_keys_or_labels(probe: Probe) -> None:
    job = make_job(probe)
    path = "//select[starts-with(@name, 'custom_attribute')][1]/option"
    options = (await form(probe, job)).xpath(path)
    assert options[0].get("value") == ""
    assert options[1].get("value") == "custom_option_1"
    probe.simulator.switch(form_option_values="labels")
    options = (await form(probe, job, "de")).xpath(path)
    assert options[3].get("value") == options[3].text == "Von zu Hause"


async def test_hints_stand_beside_the_label(probe: Probe) -> None:
    page = await form(probe, make_job(probe), "en")
    assert "Two or three sentences will do." in page.xpath("//div/p/text()")


async def test_a_closed_job_has_no_form(probe: Probe) -> None:
    job = make_job(probe)
    subdomain = probe.simulator.company.subdomain
    probe.simulator.unpublish_job(job)
    for path in (
        f"/career/{subdomain}/job/{job}/apply",
        f"/career/{subdomain}/job/{job}",
        f"/career/{subdomain}/job/x",
    ):
        answer = await probe.http.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


async def test_the_form_can_be_built_by_script_only_or_be_off(probe: Probe) -> None:
    job = make_job(probe)
    probe.simulator.switch(form="script_only")
    assert not (await form(probe, job)).xpath("//form|//input")
    probe.simulator.switch(form="off")
    answer = await probe.http.get(f"{ORIGIN}/career/{probe.simulator.company.subdomain}/job/{job}/apply")
    assert answer.status_code == 404


async def test_the_job_page_shows_the_text(probe: Probe) -> None:
    job = probe.simulator.state("published")["published"][0]["id"]
    answer = await probe.http.get(f"/career/{probe.simulator.company.subdomain}/job/{job}?display=en")
    assert "Your tasks" in answer.text
    assert (await probe.http.get(f"/career/{probe.simulator.company.subdomain}/")).status_code == 200
