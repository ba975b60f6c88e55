"""Figures of several rounds: the middle one, and how far they spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Lowest, middle and highest value over the rounds of one run."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(min(values), median(values), max(values))

    def spelled(self, form: str = "{:,.0f}") -> str:
        """Middle value with the range behind it; the range is left out for a single round."""
        if self.low == self.high:
            return form.format(self.middle)
        return f"{form.format(self.middle)} ({form.format(self.low)} to {form.format(self.high)})"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a benchmark has to show, and whether it did in this run."""

    text: str
    measured: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class Report:
    """One benchmark's outcome: ``rows`` below ``columns``, the aims, and what has to be known to read them."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    aims: Sequence[Aim]
    notes: Sequence[str]
    raw: dict[str, Any]
    """All measured values of all rounds, for `--json`."""
