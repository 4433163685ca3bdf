"""Short pieces of music for tests: lines as text, played step by step, with the rewards of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import HOLD, REST, Line, turns
from improviser.listening.observation import line_density
from improviser.listening.player import Player
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, root_above
from improviser.music.meter import METERS
from improviser.music.pitch import OCTAVE, IntArray, parse_note, pitch_class_bits, rotate
from improviser.music.scale import parse_key
from improviser.rewards import COMPONENTS, TERMS, FloatArray, Scene, component_weights, judge, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

# Eight bars in C major with the contour, rhythm and half close of a chorale tune, written for these tests.
MELODY: Final = """
    E4 - - - D4 - E4 - F4 - - - E4 - D4 -   C4 - - - D4 - E4 - D4 - - - B3 - - -
    C4 - - - F4 - E4 - D4 - - - G4 - - -    E4 - - - D4 - C4 - D4 - - - - - - -
    G4 - - - F4 - E4 - D4 - - - E4 - F4 -   E4 - - - C4 - D4 - E4 - - - F4 - - -
    G4 - - - A4 - G4 - F4 - E4 - D4 - - -   E4 - - - D4 - B3 - C4 - - - - - - -
"""
# A part above it: mostly thirds and sixths with the melody on the beat.
ABOVE: Final = """
    G4 - - - - - - - A4 - - - G4 - - -      E4 - - - F4 - G4 - F4 - - - D4 - - -
    E4 - - - A4 - G4 - F4 - - - B4 - - -    G4 - - - F4 - E4 - G4 - - - - - - -
    B4 - - - A4 - G4 - F4 - - - G4 - A4 -   G4 - - - E4 - F4 - G4 - - - A4 - - -
    B4 - - - C5 - - - A4 - G4 - F4 - - -    G4 - - - F4 - D4 - E4 - - - - - - -
"""


def events(text: str) -> list[int]:
    """Return the events of a line, one word per step: a note, "-" for hold, "." for rest."""
    words = {"-": HOLD, ".": REST}
    return [words[word] if word in words else parse_note(word) for word in text.split()]


def judge_line(
    own: str | Sequence[int],
    player: str | Sequence[int] = "",
    *,
    meter: str = "4/4",
    key: str = "C",
    style: int = 0,
    bar: int = 0,
) -> list[dict[str, float]]:
    """Return the terms and components by name for each step of `own`, in sixteenths, with `player` beside it.

    After the end of the player's line the player is silent. `bar` is the number of the first bar.
    """
    ours = events(own) if isinstance(own, str) else own
    theirs = events(player) if isinstance(player, str) else player
    row = [known.name for known in METERS].index(meter)
    bar_steps = METERS[row].bar_sixteenths
    tonality = parse_key(key)
    line = Line(np.array([4]), np.array([bar_steps]))
    listened = Player(np.array([4]), np.array([bar_steps]))
    judged = []
    for step, event in enumerate(ours):
        heard = theirs[step] if step < len(theirs) else REST
        sounding = int(listened.line.note[0]) if heard == HOLD else heard
        bits = pitch_class_bits([sounding]) if sounding >= 0 else 0
        sound = np.array([heard], dtype=np.int16), np.array([bits]), np.array([sounding])
        listened.push(*sound, LEVELS[[row], [step % bar_steps]])
        line.push(np.array([event], dtype=np.int16))
        tonic = np.array([tonality.tonic])
        chord_bits = rotate(CHORD_BITS[listened.chord], tonic)
        scene = Scene(
            own=line,
            bits=rotate(listened.bits, tonic),
            player_note=listened.line.note,
            player_before=listened.line.before,
            player_turns=turns(listened.line.intervals),
            chord_bits=chord_bits,
            chord_root=root_above(listened.chord, tonic),
            chord_tones=sure_tones(chord_bits),
            tonic=tonic,
            mode=np.array([int(tonality.mode)]),
            player_held=listened.line.held,
            player_density=line_density(listened.line),
            moment=moments(
                LEVELS[row, [step % bar_steps]],
                np.array([step % bar_steps]),
                np.array([bar + step // bar_steps]),
                chord_bits,
            ),
            style=np.array([style]),
        )
        judged.append(named_terms(judge(scene)[0]))
    return judged


def sure_tones(chord_bits: IntArray) -> FloatArray:
    """Return the tones of chords as probabilities of 0 and 1, (lanes, 12)."""
    return ((chord_bits[:, None] >> np.arange(OCTAVE)) & 1).astype(np.float32)


def named_terms(terms: FloatArray) -> dict[str, float]:
    """Return the terms of one lane by name, followed by the components."""
    components = terms @ component_weights()
    return dict(zip((*TERMS, *COMPONENTS), [*terms.tolist(), *components.tolist()], strict=True))


def mean_reward(judged: Sequence[dict[str, float]]) -> float:
    """Return the sum of the three components, as a mean over the steps."""
    return sum(step[component] for step in judged for component in COMPONENTS) / len(judged)


def random_line(rng: np.random.Generator, steps: int, notes: Sequence[int]) -> list[int]:
    """Return a line with a random note, HOLD or REST in each step."""
    choices = np.array([*notes, HOLD, REST])
    drawn: list[int] = rng.choice(choices, steps).tolist()
    return drawn
