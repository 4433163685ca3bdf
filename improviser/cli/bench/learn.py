"""`improviser bench learn`: measures background learning with and without its acceptance test."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from improviser.app.evaluation_plan import make_plan
from improviser.app.game import game_settings
from improviser.app.make_trainer import make_online_trainer
from improviser.app.optional import need_training
from improviser.app.preset_policy import make_settings, preset_actor
from improviser.cli.console import progress, say, say_json, say_table
from improviser.cli.corpus import load_corpus
from improviser.cli.evaluate import show_table
from improviser.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.online.trainer import OnlineTrainer
    from improviser.studies.online_study import Gain


def bench_learn(preset: str, player: str, minutes: float, seeds: int, *, as_json: bool) -> None:
    """Measure, and print tables or one JSON line per figure.

    Raises:
        UsageError: There is no such player, or the preset plays chords.
        ImproviserError: A library for training is not installed.
    """
    from improviser.choices import RoleName
    from improviser.config.preset import load_preset

    chosen = load_preset(preset)
    if chosen.role is not RoleName.MELODY:
        raise UsageError("bench learn is of melodies only; choose one: --preset fiddle")
    need_training()
    from improviser.studies.online_study import OnlineStudy
    from improviser.studies.out_of_distribution import OUT_OF_DISTRIBUTION_PLAYERS

    if player not in OUT_OF_DISTRIBUTION_PLAYERS:
        raise UsageError(f"no player '{player}'; there are {', '.join(OUT_OF_DISTRIBUTION_PLAYERS)}")
    pieces = load_corpus()

    def make(seed: int, guarded: bool) -> OnlineTrainer:
        """Return a new online trainer."""
        return make_online_trainer(chosen, pieces, seed, lambda: None, guarded=guarded)

    study = OnlineStudy(
        preset_actor(chosen),
        make_settings(chosen, key="auto"),
        game_settings(chosen),
        player,
        make_plan(chosen, pieces),
        make,
    )
    with progress("learning", seeds + 1) as advance:
        train = [study.train(seed, minutes, _from(seed, advance)) for seed in range(seeds)]
        unguarded = study.train(0, minutes, _from(seeds, advance), guarded=False)
    gains = [study.gain(one) for one in train]
    if as_json:
        for gain in gains:
            say_json({"event": "measured", "bench": "learn", "preset": preset, "player": player} | asdict(gain))
    else:
        _show(gains)
        say()
    with progress("evaluating", 1) as advance:
        table = study.table(train[0], unguarded, lambda done, total: advance(done / total))
    show_table(table, preset, json=as_json)


def _from(start: float, advance: Callable[[float], None]) -> Callable[[float], None]:
    """Return the function that moves a bar, counted from `start`."""
    return lambda share: advance(start + share)


def _show(gains: list[Gain]) -> None:
    """Print the gains of the learned policies."""
    rows = []
    for gain in gains:
        offered, adopted = gain.sets
        cells = [
            (f"{frozen:.3f}", f"{learned:.3f}", f"{learned / frozen - 1:+.1%}")
            for frozen, learned in (gain.beside, gain.elsewhere)
        ]
        rows.append((gain.seed, f"{adopted} of {offered}", *cells[0], *cells[1]))
    say_table(("SEED", "SETS", "BESIDE, FROZEN", "LEARNED", "GAIN", "ELSEWHERE, FROZEN", "LEARNED", "CHANGE"), rows)
