"""What is answered where no surface serves."""

from __future__ import annotations

import pytest

from harness import Product


@pytest.mark.parametrize(
    "path", ["", "/docs/", "/v1", "/v1/", "//v1/ats/applications", "/v2/foo", "/healthz/", "/atsumi"]
)
async def test_an_unknown_path_is_a_404_in_the_envelope_of_all_errors(product: Product, path: str) -> None:
    answer = await product.api.get(f"{product.url}{path}", follow_redirects=False)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == "error"
    assert set(body["error"]) == {"code", "title", "message", "log_url"}
    assert (body["error"]["code"], body["error"]["title"]) == (None, None)
    assert body["error"]["message"].startswith("Nothing is served under this path.")


async def test_an_unknown_method_is_told_those_that_are_served(product: Product) -> None:
    answer = await product.api.post(f"{product.url}/healthz")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("path", ["/x%0Ay", "/%0A", "/ats/jobs%0A", "/openapi.json%0A", "/%0D%0Ax/%00/%85/%E2%80%A8"])
@pytest.mark.parametrize(
    ("base", "key"), [("/v1", "status"), ("/api", "detail"), ("/atsumi/v1", "code")], ids=["kombo", "bindbee", "own"]
)
async def test_a_path_with_line_feeds_is_answered_by_its_surface(
    product: Product, base: str, key: str, path: str
) -> None:
    answer = await product.api.get(f"{base}{path}")
    assert answer.status_code == 404
    assert key in answer.json()
