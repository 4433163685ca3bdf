"""The ablation as a Markdown page: means and spreads over the seeds, one row per variant."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

from improviser.studies.ablation import GAMING, GREEDILY, ON_STAGE, REWARDS, VARIANTS, VariantOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from improviser.evaluation.metrics import Figures

# The command replaces the text between these two lines and keeps everything else on the page.
BEGIN: Final = "<!-- begin: written by improviser ablate -->"
END: Final = "<!-- end: written by improviser ablate -->"
WAYS: Final = {GREEDILY: "Greedy for the reward", ON_STAGE: "As on stage"}


def page_text(old: str, section: str) -> str:
    """Return the page with `section` between BEGIN and END; append it where the page has no such lines."""
    before, found, rest = old.partition(BEGIN)
    after = rest.partition(END)[2] if found else "\n"
    return f"{before if found else old.rstrip() + chr(10) * 2}{BEGIN}\n\n{section}\n{END}{after}"


def section_text(
    outcomes: Sequence[VariantOutcome], people: Mapping[str, Figures], command: str, described: str
) -> str:
    """Return the tables, with a description of the study.

    Args:
        outcomes: The outcomes of all variants and seeds.
        people: Figures of people and of the prior alone, by name.
        command: The command that made the outcomes.
        described: A sentence about pieces, time and seeds.
    """
    tables = [f"## {title}\n\n{table_text(outcomes, people, way)}" for way, title in WAYS.items()]
    return "\n".join([f"`{command}`: {described}\n", *tables, f"## Done in the time\n\n{work_text(outcomes)}"])


def table_text(outcomes: Sequence[VariantOutcome], people: Mapping[str, Figures], way: str) -> str:
    """Return the table for one way of playing."""
    names = (*REWARDS, *GAMING)
    lines = [f"| variant | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for name, row in people.items():
        lines.append(f"| *{name}* | {' | '.join(spread([row[figure]], figure) for figure in names)} |")
    for name, own in by_variant(outcomes).items():
        rows = [outcome.greedy if way == GREEDILY else outcome.stage for outcome in own]
        cells = [spread([row[figure] for row in rows], figure) for figure in names]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def work_text(outcomes: Sequence[VariantOutcome]) -> str:
    """Return the table of the transitions and updates done in the time."""
    lines = ["| variant | transitions | updates |", "|---|---:|---:|"]
    for name, own in by_variant(outcomes).items():
        sampled = statistics.mean(outcome.transitions for outcome in own)
        updates = statistics.mean(outcome.updates for outcome in own)
        lines.append(f"| {name} | {sampled:,.0f} | {updates:,.0f} |")
    return "\n".join(lines) + "\n"


def by_variant(outcomes: Sequence[VariantOutcome]) -> dict[str, list[VariantOutcome]]:
    """Return the outcomes of each variant, in the order of VARIANTS."""
    names = [variant.name for variant in VARIANTS]
    ordered = sorted(outcomes, key=lambda outcome: names.index(outcome.variant))
    groups: dict[str, list[VariantOutcome]] = {}
    for outcome in ordered:
        groups.setdefault(outcome.variant, []).append(outcome)
    return groups


def spread(values: Sequence[float], figure: str) -> str:
    """Return the mean and, of several values, their standard deviation; "-" where there is no value."""
    places = 1 if "%" in figure else 3
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "-"
    mean = f"{statistics.mean(known):.{places}f}"
    return f"{mean} +- {statistics.stdev(known):.{places}f}" if len(known) > 1 else mean
