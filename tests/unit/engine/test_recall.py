"""Where the player repeats something, improviser holds to what it played then."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.agent.policy import Mix
from improviser.engine.role import MELODY
from improviser.engine.situation import Prospect, preferring
from improviser.midi.message import TimedMessage
from improviser.playing.actions import NO_ACTION
from tests.actors import Indifferent
from tests.sessions import BAR_S, STEP_S, TEMPO, make_engine, note, ons, steps, tell

TUNES = ((60, 64, 67, 65), (62, 65, 69, 67))


def played(recall: float, *bars: int) -> list[list[tuple[float, int]]]:
    """Return the onsets in each bar, in steps, of an actor that plays at random beside some bars of quarters."""
    heard: list[TimedMessage] = []
    for number, bar in enumerate(bars):
        for beat, pitch in enumerate(TUNES[bar]):
            heard += note(number * BAR_S + beat * 4 * STEP_S, pitch, 0.4)
    engine = tell(make_engine(Indifferent(), key="C", tempo_bpm=TEMPO, temperature=0.05, recall=recall), *heard)
    return [
        [(round((at_s - number * BAR_S) / STEP_S), pitch) for at_s, pitch in ons(steps(engine, 16))]
        for number in range(len(bars))
    ]


def late(bar: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return the onsets of a bar after its third quarter has been heard."""
    return [(at, pitch) for at, pitch in bar if at > 8]


def test_it_plays_again_what_it_played_below_the_same() -> None:
    """From the third note on that the player repeats, two bars later, it repeats its own; else it does not."""
    same = played(2.0, 0, 1, 0, 1)
    assert late(same[0]) == late(same[2])
    assert same[1] == same[3]
    assert same[0] != same[1]
    free = played(0.0, 0, 1, 0, 1)
    assert free[1] != free[3]


@pytest.mark.parametrize(("recall", "recalled"), [(0.0, 5), (0.5, NO_ACTION)])
def test_without_anything_recalled_nothing_is_added(recall: float, recalled: int) -> None:
    """Without a weight or an action the values are combined as before."""
    mix = Mix(np.ones(3, dtype=np.float32), 0.2, 0.3)
    assert mix is preferring(mix, None, recall, _prospect(recalled), MELODY)


def test_what_is_recalled_comes_on_top_of_the_other_preferences() -> None:
    """The action gains its weight beside the knobs' preference and that of the features."""
    knobs = np.full(MELODY.action_count, 0.25, dtype=np.float32)
    bias = np.ones(len(MELODY.traits.names), dtype=np.float32)
    mix = Mix(np.ones(3, dtype=np.float32), 0.2, 0.3, knobs)
    prospect = _prospect(5)
    assert prospect.traits is not None
    found = preferring(mix, bias, 0.5, prospect, MELODY).preference
    assert found is not None
    expected = knobs + prospect.traits @ bias
    expected[5] += 0.5
    assert expected == pytest.approx(found)


def _prospect(recalled: int) -> Prospect:
    """Return a step with an action that is recalled, and random traits."""
    traits = np.random.default_rng(0).random((MELODY.action_count, len(MELODY.traits.names)), dtype=np.float32)
    legal, seen = np.ones(MELODY.action_count, dtype=np.bool_), np.zeros(MELODY.columns, dtype=np.uint8)
    unused: object = None
    return Prospect(unused, unused, legal, None, seen, traits, (), recalled)  # type: ignore[arg-type]  # not read
