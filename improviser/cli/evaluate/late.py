"""`improviser evaluate late` and `timing`: consonance with late players, as a table or JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.cli.console import progress, say_json, say_table

if TYPE_CHECKING:
    from improviser.agent.policy import Actor
    from improviser.evaluation.evaluate import Plan


def measure_lateness(actor: Actor, plan: Plan, *, by_timing: bool, json: bool) -> None:
    """Play beside late players, and print how consonant that was.

    The rows have each remedy switched on and off, or, with `by_timing`, when notes leave and how late players are.
    """
    from dataclasses import asdict

    from improviser.evaluation.in_time.late_players import late_scores, timing_scores

    assert plan.engine is not None  # noqa: S101 - the plan is made with the measurement of adaptation
    measure = timing_scores if by_timing else late_scores
    with progress("playing", 1) as advance:
        scores = measure(actor, plan.engine, plan.players, lambda done, total: advance(done / total))
    if json:
        event = "timing" if by_timing else "late"
        for name, score in scores.items():
            say_json({"event": event, "preset": plan.name, "row": name, **asdict(score)})
        return
    rows = [(name, *(f"{value:.1%}" for value in asdict(score).values())) for name, score in scores.items()]
    say_table((plan.name.upper(), "CONSONANT TIME", "CONSONANT NOTES", "MENDED"), rows)
