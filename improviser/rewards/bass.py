"""The rewards of a bass line below the player.

`judge` works on any number of lanes. Each term and each component lies in [-1, 1]. In the table a dash stands for
nothing. Terms of the same name as a melody's are that term.

| component | term | weight | rewards; punishes |
|---|---|---|---|
| harmony | root | .55 | the root of the chord, less its fifth and its other tones; other tones, most on strong beats |
| harmony | consonance | .20 | consonance with the player's sounding notes; dissonance |
| harmony | scale | .10 | - ; tones outside the key that are not of the chord |
| harmony | parallels | .15 | - ; parallel unisons, fifths and octaves with the player's top voice |
| coherence | walk | .25 | steps, fourths and fifths; sixths, sevenths, tritones and wider leaps |
| coherence | meter | .25 | onsets on strong positions; off the beat, and holding through a downbeat |
| coherence | density | .25 | - ; fewer onsets than halves and more than eighths |
| coherence | cadence | .15 | stable tones at the end of four and eight bars; unstable ones |
| coherence | spacing | .10 | - ; less than an octave below the player's top voice |
| creativity | novelty | .60 | - ; exact repetition for a whole lag (a beat, two, a bar, two bars) |
| creativity | variety | .40 | four to six pitch classes in the last eight onsets; one or two |

Source of root and walk: W. Piston (1941), "Harmony", on root positions and the motion of the bass. The band of density
is set by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.listening.line import INTERVAL_ROWS, NONE, interval_rows
from improviser.music.pitch import OCTAVE
from improviser.rewards import melody
from improviser.rewards.scene import Rewards, Scene

if TYPE_CHECKING:
    from improviser.rewards.scene import FloatArray

TERMS: Final = {
    "root": ("harmony", 0.55),
    "consonance": ("harmony", 0.20),
    "scale": ("harmony", 0.10),
    "parallels": ("harmony", 0.15),
    "walk": ("coherence", 0.25),
    "meter": ("coherence", 0.25),
    "density": ("coherence", 0.25),
    "cadence": ("coherence", 0.15),
    "spacing": ("coherence", 0.10),
    "novelty": ("creativity", 0.60),
    "variety": ("creativity", 0.40),
}
_OWN: Final = ("root", "walk", "density", "spacing")
_AS_MELODY: Final = [name for name in TERMS if name not in _OWN]
_COLUMNS: Final = [list(melody.TERMS).index(name) for name in _AS_MELODY]
_INTO: Final = [list(TERMS).index(name) for name in _AS_MELODY]
_ROOT, _WALK, _DENSITY, _SPACING = (list(TERMS).index(name) for name in _OWN)
# Worth of a tone by its distance above the root, where it is of the chord; and of any other tone.
_DEGREE: Final = np.array([1, 0, 0.1, 0.25, 0.25, 0.1, 0.1, 0.45, 0.1, 0.1, 0.1, 0.1], dtype=np.float32)
_OTHER: Final = np.float32(-0.7)
# Worth of a melodic interval of 0 to 12 semitones and more.
_WALK_WORTH: Final = np.array([0, 1, 1, 0.5, 0.5, 0.8, -0.5, 0.8, -0.3, -0.3, -0.6, -1, 0.3], dtype=np.float32)
# The fewest and the most onsets in two bars of four beats.
DENSITY_BAND: Final = (4, 16)
_PER_ONSET: Final = 0.2
# The column of `moments` with the weight of a step: .4 on the weakest, 1 on the strongest.
_EMPHASIS: Final = 0


def judge(scene: Scene) -> FloatArray:
    """Return every term of the reward for the step in `scene`, (lanes, len(TERMS))."""
    own, terms = scene.own, np.zeros((len(scene.own.note), len(TERMS)), dtype=np.float32)
    terms[:, _INTO] = melody.judge(scene)[:, _COLUMNS]
    sounding = own.note >= 0
    degree = (own.note - scene.tonic) % OCTAVE
    in_chord = (scene.chord_bits >> degree) & 1 > 0
    worth = np.where(in_chord, _DEGREE[(degree - scene.chord_root) % OCTAVE], _OTHER)
    terms[:, _ROOT] = worth * scene.moment[:, _EMPHASIS] * (sounding & (scene.chord_bits > 0))
    terms[:, _WALK] = _WALK_TABLE[interval_rows(own.intervals[:, -1])] * sounding
    started = own.events[:, 0] != NONE
    too_few = np.maximum(DENSITY_BAND[0] - own.count, 0) * started
    terms[:, _DENSITY] = -np.minimum((too_few + np.maximum(own.count - DENSITY_BAND[1], 0)) * _PER_ONSET, 1.0)
    is_near = (scene.player_note >= 0) & (own.note > scene.player_note - OCTAVE)
    terms[:, _SPACING] = -(sounding & is_near).astype(np.float32)
    return terms


# Worth of each row of `interval_rows`: -12..12, and none.
_WALK_TABLE: Final = np.append(_WALK_WORTH[np.abs(np.arange(INTERVAL_ROWS - 1) - OCTAVE)], 0.0).astype(np.float32)

BASS: Final = Rewards(TERMS, melody.MOMENT, melody.moments, judge)
