"""`improviser bench taste`: measures how well a hidden preference is learned from likes and dislikes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from improviser.app.game import game_settings
from improviser.app.optional import need_plots, need_training
from improviser.app.preset_policy import make_settings, preset_actor
from improviser.cli.console import progress, say, say_json, say_table
from improviser.cli.corpus import load_corpus
from improviser.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.studies.preference_study import Change, Point


def bench_taste(preset: str, trials: int, plots: Path | None, *, split: str, as_json: bool) -> None:
    """Measure the effect of feedback; print tables or one JSON line per figure, and draw the curve.

    Raises:
        UsageError: The preset plays chords.
        ImproviserError: A library for training or plots is not installed.
    """
    from improviser.choices import RoleName
    from improviser.config.preset import load_preset

    chosen = load_preset(preset)
    if chosen.role is not RoleName.MELODY:
        raise UsageError("bench taste has listeners of melodies only; choose one: --preset fiddle")
    need_training()
    if plots is not None:
        need_plots()
    from improviser.studies.preference_study import PreferenceStudy
    from improviser.training.material import held_out_parts

    parts = held_out_parts(load_corpus(), game_settings(chosen), split)
    study = PreferenceStudy(preset_actor(chosen), make_settings(chosen, key="auto"), parts, trials)
    with progress("pressing", study.count) as advance:
        done = iter(range(1, study.count + 1))
        changes = study.changes(lambda: advance(next(done)))
        curve = study.curve(lambda: advance(next(done)))
    if as_json:
        for change in changes:
            say_json({"event": "measured", "bench": "taste", "preset": preset} | asdict(change))
        for point in curve:
            say_json({"event": "measured", "bench": "taste", "preset": preset} | asdict(point))
    else:
        _show(changes, curve)
    if plots is not None:
        from improviser.studies.preference_plot import write_preference_curve

        path = write_preference_curve(curve, plots)
        if not as_json:
            say(f"Drawn: {path}")


def _show(changes: list[Change], curve: list[Point]) -> None:
    """Print the tables."""
    say_table(
        ("DISLIKED", "TRIALS", "MEAN CHANGE", "FELL BY 25 %"),
        [(each.measure, each.trials, f"{each.mean:+.0%}", f"{each.moved:.0%}") for each in changes],
    )
    say()
    say_table(
        ("WRONG PRESSES", "PRESSES", "OF THE ORACLE'S GAIN", "95 % INTERVAL", "REWARD KEPT"),
        [
            (
                f"{each.errors:.0%}",
                each.presses,
                f"{each.match.mean:.0%}",
                f"{each.match.low:.0%} to {each.match.high:.0%}",
                f"{each.reward.mean:.0%}",
            )
            for each in curve
        ],
    )
