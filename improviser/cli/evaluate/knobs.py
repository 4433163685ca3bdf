"""`improviser evaluate knobs`: the effect of each knob as a table, JSON lines and a plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table, tell

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.agent.policy import Actor
    from improviser.evaluation.evaluate import Plan
    from improviser.evaluation.knob_sweep import Sweep
    from improviser.workers import Workers

_UNKNOWN = "-"


def turn_knobs(actor: Actor, plan: Plan, folder: Path | None, workers: Workers, *, json: bool) -> None:
    """Turn each knob, print its effect, and draw a plot if a folder is given."""
    from improviser.evaluation.knob_sweep import sweep

    with progress("turning", 1) as advance:
        sweeps = sweep(actor, plan, lambda done, total: advance(done / total), workers)
    if json:
        _say_objects(sweeps, plan.name)
    else:
        _say_rows(sweeps)
    if folder is not None:
        from improviser.evaluation.plot import write_knobs

        tell(f"the plot is {write_knobs(sweeps, folder)}")


def _say_objects(sweeps: list[Sweep], preset: str) -> None:
    """Print one JSON line per knob."""
    from improviser.evaluation.knob_sweep import SETTINGS

    for one in sweeps:
        means = [value.mean for value in one.values]
        shown = {"knob": one.knob, "measure": one.measure, "settings": SETTINGS, "values": means}
        beside = {"human": one.human, "random": one.random, "share": one.share, "kept": one.is_kept}
        say_json({"event": "turned", "preset": preset, **shown, **beside})


def _say_rows(sweeps: list[Sweep]) -> None:
    """Print a table with one row per knob."""
    from improviser.evaluation.knob_sweep import SETTINGS

    settings = (f"{setting:g}" for setting in SETTINGS)
    say_table(("KNOB", "MEASURE", *settings, "HUMAN", "RANDOM", "MOVED", ""), [knob_row(one) for one in sweeps])


def knob_row(one: Sweep) -> tuple[str, ...]:
    """Return a knob's row; "-" is an unknown value, "!" marks a knob without its intended effect."""
    moved = f"{_number(100 * one.share, 0)} %" if math.isfinite(one.share) else _UNKNOWN
    means = (_number(value.mean) for value in one.values)
    mark = "!" if one.is_kept is False else ""
    return one.knob, one.measure, *means, _number(one.human), _number(one.random), moved, mark


def _number(value: float, places: int = 3) -> str:
    """Return a number with this many decimal places, or "-" if it is not finite."""
    return f"{value:.{places}f}" if math.isfinite(value) else _UNKNOWN
