"""The documentation's pages: complete, true, readable by everybody, and made of nothing but our own files."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from string import Template
from typing import Any
from urllib.parse import urldefrag, urljoin

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from selectolax.lexbor import LexborHTMLParser

from atsumi.dialects.atsumi.openapi import openapi_document as own_document
from atsumi.dialects.atsumi.operations import OPERATIONS as OWN
from atsumi.dialects.bindbee.openapi import openapi_document as bindbee_document
from atsumi.dialects.bindbee.operations import OPERATIONS as BINDBEE
from atsumi.dialects.kombo.openapi import openapi_document as kombo_document
from atsumi.dialects.kombo.operations import OPERATIONS as KOMBO
from atsumi.model.names import Model
from atsumi.server.docs.examples import example_of
from atsumi.server.docs.page import highlighted, page_of
from bindbee_reader import bindbee_of
from harness import Account, Product, small_company

SURFACES: dict[str, tuple[Any, Any]] = {
    "/v1": (kombo_document, KOMBO),
    "/api": (bindbee_document, BINDBEE),
    "/atsumi/v1": (own_document, OWN),
}
PAGES = ["/docs", *(f"{base}/docs" for base in SURFACES)]
DOCUMENTS = {base: json.loads(document()) for base, (document, _) in SURFACES.items()}
VOID = {"meta", "link", "br", "hr", "img", "input"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


class Balance(HTMLParser):
    """Fails for a tag that is closed in the wrong place or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


async def page(product: Product, path: str, **headers: str) -> str:
    answer = await product.api.get(path, headers=headers)
    assert answer.status_code == 200
    return str(answer.text)


# The OpenAPI documents.


@pytest.mark.parametrize("base", SURFACES)
async def test_a_surface_serves_its_openapi_document_to_everybody(product: Product, base: str) -> None:
    answer = await product.api.get(f"{base}/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENTS[base]
    OpenAPIV31SpecValidator(answer.json()).validate()


@pytest.mark.parametrize("base", SURFACES)
def test_a_document_holds_every_operation_that_is_served_and_no_other(base: str) -> None:
    document = DOCUMENTS[base]
    assert document["servers"] == [{"url": base}]
    documented = [(method, path, operation["operationId"]) for method, path, operation in operations(document)]
    served = [(operation.method, operation.path, operation.id) for operation in SURFACES[base][1]]
    assert sorted(documented) == sorted(served)
    assert len({id for _, _, id in served}) == len(served)


@pytest.mark.parametrize("base", SURFACES)
def test_every_operation_says_what_it_may_answer(base: str) -> None:
    document = DOCUMENTS[base]
    for _, path, operation in operations(document):
        statuses = set(operation["responses"])
        assert {"401", "500", "504"} <= statuses, path
        assert "default" not in statuses
        assert len(operation["tags"]) == 1
        for parameter in operation["parameters"]:
            assert parameter["in"] != "path" or f"{{{parameter['name']}}}" in path
    used = {operation["tags"][0] for _, _, operation in operations(document)}
    assert [tag["name"] for tag in document["tags"]] == list(dict.fromkeys(tag["name"] for tag in document["tags"]))
    assert {tag["name"] for tag in document["tags"]} == used


@pytest.mark.parametrize("base", SURFACES)
def test_no_description_speaks_the_language_of_docstrings(base: str) -> None:
    text = json.dumps(DOCUMENTS[base])
    assert not re.search(r":\w+:`", text)
    assert "\\n    " not in text


@pytest.mark.parametrize("base", SURFACES)
def test_summaries_are_plain_text(base: str) -> None:
    assert [one["summary"] for _, _, one in operations(DOCUMENTS[base]) if re.search(r"[`*<\[]", one["summary"])] == []


@pytest.mark.parametrize("base", SURFACES)
def test_every_example_fits_its_schema(base: str) -> None:
    document = DOCUMENTS[base]
    schemas = document["components"]["schemas"]

    def check(schema: dict[str, Any], value: Any) -> None:
        validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
        validator.validate(value)

    for _, _, operation in operations(document):
        for holder in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media in holder.get("content", {}).values():
                check(media["schema"], media.get("example", example_of(media["schema"], schemas)))
    for schema in schemas.values():
        check(schema, example_of(schema, schemas))


# The pages.


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_well_formed_and_every_link_leads_somewhere(product: Product, path: str) -> None:
    text = await page(product, path)
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    tree = LexborHTMLParser(text)
    ids = Counter(node.attributes["id"] for node in tree.css("[id]"))
    assert max(ids.values()) == 1, ids.most_common(3)
    assert len(tree.css("h1")) == 1
    for link in tree.css("a[href]"):
        address, anchor = urldefrag(link.attributes["href"] or "")
        if address:
            assert (await product.api.get(urljoin(path, address))).status_code == 200, address
        else:
            assert anchor in ids


@pytest.mark.parametrize("base", SURFACES)
async def test_a_page_shows_every_operation_parameter_answer_and_schema(product: Product, base: str) -> None:
    tree = LexborHTMLParser(await page(product, f"{base}/docs"))
    document = DOCUMENTS[base]
    for method, path, operation in operations(document):
        section = tree.css_first(f"#{operation['operationId']}")
        assert section is not None, path
        shown = section.text()
        assert base + path in shown
        assert section.css_first(".method").text() == method
        named = [node.text() for node in section.css(".fields dt code")]
        assert set(named) >= {one["name"] for one in operation["parameters"]}
        assert [node.text() for node in section.css(".answers > div > dt")] == list(operation["responses"])
        assert "curl " in section.css_first(".request code").text()
    for name, schema in document["components"]["schemas"].items():
        section = tree.css_first(f"#schema-{name}")
        assert [node.text() for node in section.css("dt > code")] == list(schema.get("properties", {}))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_no_key_no_script_and_nothing_of_others(product: Product, path: str) -> None:
    answer = await product.api.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    tree = LexborHTMLParser(answer.text)
    assert not tree.css("script, style, iframe, img, form, object, [style], base")
    for node in tree.css("[href], [src]"):
        address = node.attributes.get("href") or node.attributes.get("src") or ""
        assert address == "data:," or not re.match(r"[a-z]+:|//", address), address
    style = await product.api.get(urljoin(path, str(tree.css_first("link[rel=stylesheet]").attributes["href"])))
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.parametrize("path", [*PAGES, "/docs/style.css"])
async def test_a_page_is_only_read(product: Product, path: str) -> None:
    head = await product.api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "PUT", "DELETE", "BREW"):
        answer = await product.api.request(method, path, content=b"<script>")
        assert answer.status_code in (404, 405)
        assert "<script>" not in answer.text
    for wrong in (f"{path}/", f"{path}/..%2f..%2fpyproject.toml", f"{path}%00", f"{path}.map", f"{path}/style.css"):
        if wrong != "/docs/style.css":
            assert (await product.api.get(wrong)).status_code in (400, 401, 404), wrong


HOSTILE_HOSTS = ('a"><script>alert(1)</script>', "a b", "x;rm -rf /", "`id`", "$(id)", "x.example\\y", "a/../b?c", "")


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
async def test_a_host_that_is_none_is_not_repeated(product: Product, host: str) -> None:
    text = await page(product, "/v1/docs", Host=host)
    assert "http://localhost/v1/ats/jobs" in LexborHTMLParser(text).css_first("#GetAtsJobs .request").text()
    assert "<script>" not in text


async def test_commands_name_the_address_under_which_the_page_was_read(product: Product) -> None:
    text = await page(product, "/v1/docs", Host="ats.example:8443")
    assert "http://ats.example:8443/v1/ats/jobs" in text
    assert "atsumi.invalid" not in text


def test_whatever_a_document_says_stays_text() -> None:
    evil = "</code><script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ![p](http://evil/)"
    schema = {"type": "object", "description": evil, "properties": {evil: {"enum": [evil], "description": evil}}}
    operation = {
        "operationId": "x",
        "summary": evil,
        "description": evil,
        "tags": ["t"],
        "parameters": [{"name": "p", "in": "query", "schema": {"type": "string"}, "description": evil}],
        "responses": {"200": {"description": evil, "content": {"a": {"schema": schema, "example": {evil: evil}}}}},
    }
    document = {
        "info": {"title": evil, "version": evil},
        "servers": [{"url": "/x"}],
        "tags": [{"name": "t"}],
        "paths": {"/y": {"get": operation}},
        "components": {"schemas": {"S": schema}},
    }
    shown = page_of(document, evil)
    (found,) = shown.groups[0].operations
    for markup in (
        shown.introduction,
        found.description,
        found.example,
        found.parameters[0].description,
        found.responses[0].description,
        shown.schemas[0].description,
    ):
        tree = LexborHTMLParser(str(markup))
        assert not tree.css("script, img, [onerror], a[href^='javascript']")
        assert "alert(1)" in tree.text()


def test_an_example_is_shown_whole() -> None:
    value = {"a<b>": 'x "y" & \\ z', "n": -1.5, "list": [True, None, "1:2"], "\u00e4": "\u2028"}
    assert (
        json.loads(highlighted(value).striptags()) == value
        or json.loads(LexborHTMLParser(str(highlighted(value))).text()) == value
    )


def test_examples_of_schemas_that_hold_themselves_end() -> None:
    loop = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/c/Loop"}, {"type": "null"}]}}}
    assert example_of({"$ref": "#/c/Loop"}, {"Loop": loop}) == {"next": None}


# Readable: contrast as WCAG 2.2 computes it.


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


async def test_text_can_be_read_on_every_ground_in_light_and_in_the_dark(product: Product) -> None:
    css = (await product.api.get("/docs/style.css")).text
    schemes = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{[^}]*\}", css)]
    assert len(schemes) == 2
    for colors in schemes:
        for ground in ("page", "panel", "code"):
            for text in set(colors) - {"page", "panel", "code", "line"}:
                bright, dark = sorted((luminance(colors[ground]), luminance(colors[text])), reverse=True)
                assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ground, text)
    assert set(schemes[0]) == set(schemes[1])


# True: every command that only reads works as it stands.


@pytest.fixture(scope="module")
async def account(product: Product) -> Account:
    account = await product.synced(small_company(applications=12, jobs=3))
    return account


@pytest.mark.parametrize("base", SURFACES)
async def test_every_command_that_reads_works(product: Product, account: Account, base: str) -> None:
    bindbee = await bindbee_of(account)
    tree = LexborHTMLParser(await page(product, f"{base}/docs", Host="docs.example"))
    application = (await account.rows("applications"))[0]
    runs = await product.api.get(f"/atsumi/v1/integrations/{account.integration.id}/runs", headers=account.headers)
    variables = {
        "API_KEY": account.key,
        "INTEGRATION_ID": account.integration.id,
        "CONNECTOR_TOKEN": bindbee.token,
        "APPLICATION_ID": application["id"],
        "CANDIDATE_ID": application["candidate_id"],
        "RUN_ID": runs.json()["items"][0]["id"],
    }
    tried = 0
    for section in tree.css(".operation"):
        words = shlex.split(section.css_first(".request code").text())
        if "-X" in words:
            continue
        name = str(section.attributes["id"])
        ids = variables
        if base == "/api" and name.endswith("_by_id"):
            rows = await bindbee.rows(name.removeprefix("get_").removesuffix("_by_id").replace("_", "-"))
            if not rows:
                continue
            ids = variables | {"ID": rows[0]["id"]}
        elif base == "/atsumi/v1":
            ids = variables | {"ID": account.id(Model.APPLICATION, application["remote_id"]), "FROM": "1"}
        filled = [Template(word).safe_substitute(ids) for word in words]
        if "$" in filled[-1]:
            continue
        headers = dict(one.split(": ", 1) for flag, one in pairwise(filled) if flag == "-H")
        answer = await product.api.get(filled[-1], headers=headers)
        assert answer.status_code == 200, (name, filled, answer.text)
        tried += 1
    assert tried >= {"/v1": 18, "/api": 22, "/atsumi/v1": 7}[base]
