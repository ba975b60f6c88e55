"""Search terms are equal whatever the case, in any script."""

from __future__ import annotations

import pytest

from atsumi.model.candidate import Candidate
from atsumi.model.record import term


@pytest.mark.parametrize(("one", "other"), [("Weiß", "WEISS"), ("ΣΊΣΥΦΟΣ", "Σίσυφος"), (" Müller ", "MÜLLER")])
def test_a_name_is_found_whatever_the_case(one: str, other: str) -> None:
    assert term("last_name", other) in Candidate(remote_id="1", last_name=one).lookups()
