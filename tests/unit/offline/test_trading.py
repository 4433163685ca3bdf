"""Trading with a shipped model: nothing in the player's bars, and an entry on each bar line of its own turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from improviser.app.preset_policy import make_settings, preset_actor
from improviser.choices import PlayMode
from improviser.config.preset import load_preset
from improviser.evaluation.duet import from_messages, to_messages
from improviser.offline.session import engine_in_beats, play_along

BARS, TURN, BAR_BEATS = 64, 4, 4
# The player's chords go round, a bar each, in quarters.
ROUND = ((60, 64, 67, 64), (65, 69, 72, 69), (67, 71, 74, 71), (60, 67, 64, 60))
# A player's microtiming moves our notes by less than this.
NEAR_BEATS = 0.05


def test_trading_fours() -> None:
    """In 64 bars beside a player who fills each of his turns, eight turns of ours begin on their bar lines."""
    heard = np.array(
        [
            (bar * BAR_BEATS + beat, bar * BAR_BEATS + beat + 0.9, note)
            for bar in range(BARS)
            if bar // TURN % 2 == 0
            for beat, note in enumerate(ROUND[bar % len(ROUND)])
        ]
    )
    preset = load_preset("fiddle")
    settings = replace(make_settings(preset, key=None), mode=PlayMode.TRADE_4)
    engine = engine_in_beats(settings, preset_actor(preset), np.random.default_rng(0), 0.0, waits=True)
    onsets = from_messages(play_along(engine, to_messages(heard), float(BARS * BAR_BEATS)))[:, 0]
    turns = (onsets + NEAR_BEATS) // (TURN * BAR_BEATS)
    assert set(range(1, BARS // TURN, 2)) == set(turns.tolist())
    entries = [onsets[turns == turn].min() - turn * TURN * BAR_BEATS for turn in range(1, BARS // TURN, 2)]
    assert np.abs(entries).max() < NEAR_BEATS
