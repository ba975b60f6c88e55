"""The vendor's contract, read once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from atsumi.dialects.kombo.tests.kit import reference


@pytest.fixture(scope="session")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(reference("openapi.yaml").read_bytes(), yaml.CSafeLoader)
    return loaded
