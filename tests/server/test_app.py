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
