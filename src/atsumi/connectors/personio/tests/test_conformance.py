"""The shared rules for connectors, on the simulator."""

from __future__ import annotations

import pytest

from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.testing.conformance import RULES, Rule, rule_name


@pytest.mark.parametrize("rule", RULES, ids=rule_name)
async def test_personio_conforms(rule: Rule) -> None:
    await rule(SimulatedAccount())
