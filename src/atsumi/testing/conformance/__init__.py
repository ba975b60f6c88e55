"""Checks that every connector passes. A connector's ``test_conformance.py`` names them all with one import.

Write a class that follows :class:`Harness`, a fixture ``harness`` that yields one, and run::

    @pytest.mark.parametrize("rule", RULES, ids=rule_name)
    async def test_conforms(rule: Rule, harness: Harness) -> None:
        await rule(harness)

A check that needs something the harness cannot do skips itself.
"""

from __future__ import annotations

import inspect

from atsumi.testing.conformance import declared, maps, reads, writes
from atsumi.testing.conformance.harness import Harness, Rule

__all__ = ["RULES", "Harness", "Rule", "rule_name"]


def rule_name(rule: Rule) -> str:
    """The rule as a test id."""
    return getattr(rule, "__name__", "rule")


RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            function
            for module in (declared, reads, maps, writes)
            for name, function in vars(module).items()
            if inspect.iscoroutinefunction(function) and function.__module__ == module.__name__ and name[0] != "_"
        ),
        key=rule_name,
    )
)
"""All checks, by name."""
