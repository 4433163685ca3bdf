"""How much a partner listens: the right player minus a wrong one.

What was played beside a player is judged beside that player's harmony and notes, and then beside those of another
piece in the same mode and meter, moved to the same key, at the same tempo. A part that fits both alike has listened to
nothing but the key, however consonant it is. The improviser plays twice: by ear, and with the piece's chords as its
chart. Beside it stand people, a parrot, which plays the player's notes a beat later, a drone, which holds the tonic,
and the ear, which holds the tone that it takes for the likeliest of the chord: no melody that trusts the same ear can
be much more in the chord.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.corpus.piece import TICKS_PER_BEAT
from improviser.corpus.sounding_steps import sounds_of
from improviser.engine.settings import AUTO_KEY
from improviser.evaluation.duet import FRAMES, Duet, Notes, from_messages, pitch_classes, sounding, to_messages
from improviser.evaluation.estimate import Column, estimate_column
from improviser.listening.harmony.harmony_inputs import Sounding
from improviser.listening.harmony.harmony_tracker import HarmonyTracker
from improviser.music.accent import LEVELS
from improviser.music.consonance import CONSONANT_INTERVALS
from improviser.music.meter import METERS, SIXTEENTHS_PER_BEAT
from improviser.music.pitch import MIDDLE_C, OCTAVE
from improviser.offline.session import engine_in_beats, play_along
from improviser.workers import HERE, Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from improviser.evaluation.duet import DuetHarmony
    from improviser.evaluation.in_time.feel_figures import Subject
    from improviser.evaluation.metrics import Figures

IMPROVISER, CHART, PEOPLE, PARROT, DRONE, EAR = "improviser", "with a chart", "people", "parrot", "drone", "ear"
# A window of emergent consonance, in beats.
WINDOW_BEATS: Final = 2
# Radii of the circles of fifths, minor thirds and major thirds. Source: C. Harte, M. Sandler and M. Gasser (2006),
# "Detecting harmonic change in musical audio".
_CIRCLES: Final = ((7, 1.0), (3, 1.0), (4, 0.5))
_ANGLES: Final = np.arange(OCTAVE)[:, None] * np.array([step for step, _ in _CIRCLES]) * np.pi / 6
# The place of each pitch class in tonal space, (12, 6).
TONAL_SPACE: Final = np.concatenate([np.sin(_ANGLES), np.cos(_ANGLES)], axis=1) * np.tile(
    [radius for _, radius in _CIRCLES], 2
)
# Thirds and sevenths above a chord's root, and how far a guide tone may go to the next chord.
_GUIDE_DEGREES: Final = (3, 4, 10, 11)
_STEP: Final = 2
_CHORD_NOTES: Final = 3
_UNKNOWN: Final = float("nan")
_NO_TONE: Final = -1

Judge = Callable[["Notes", "Duet"], "Figures"]


def listening_scores(
    duets: Sequence[Duet],
    subject: Subject,
    judge: Judge,
    report: Callable[[int], None],
    workers: Workers = HERE,
) -> dict[str, dict[str, Column]]:
    """Return the estimates beside the right player, beside a wrong one, and their difference, for each partner.

    Args:
        duets: The held-out pieces; one without another of its mode and meter is left out.
        subject: The improviser.
        judge: Returns the figures of a part beside a duet, such as `duet_figures`.
        report: Called with the number of duets that are done.
        workers: Where the improviser plays.

    Returns:
        Partner (IMPROVISER, CHART, PEOPLE, PARROT, DRONE, EAR), then "right", "wrong" and "difference".
    """
    rows: dict[str, dict[str, list[Figures]]] = {}
    pairs = [(duet, wrong) for at, duet in enumerate(duets) if (wrong := wrong_player(duets, at)) is not None]
    skipped = len(duets) - len(pairs)
    tasks = [(duet, has_chart) for duet, _ in pairs for has_chart in (False, True)]
    played = workers.all(_played, subject, tasks, lambda done: report(skipped + done // 2))
    for (duet, wrong), by_ear, by_chart in zip(pairs, played[::2], played[1::2], strict=True):
        for partner, notes in {IMPROVISER: by_ear, CHART: by_chart, **_others(duet)}.items():
            row = rows.setdefault(partner, {"right": [], "wrong": [], "difference": []})
            right, beside = judge(notes, duet), judge(notes, wrong)
            row["right"].append(right)
            row["wrong"].append(beside)
            row["difference"].append({name: right[name] - beside[name] for name in right})
    return {
        partner: {side: estimate_column(figures, subject.seed) for side, figures in sides.items()}
        for partner, sides in rows.items()
    }


def wrong_player(duets: Sequence[Duet], index: int) -> Duet | None:
    """Return a duet beside the player of the next one in the same mode and meter; None if there is none."""
    duet = duets[index]
    others = [*duets[index + 1 :], *duets[:index]]
    other = next((each for each in others if (each.mode, each.meter) == (duet.mode, duet.meter)), None)
    return None if other is None else duet.beside(other)


def _played(subject: Subject, task: tuple[Duet, bool]) -> Notes:
    """Return what the improviser plays, as work for a worker."""
    duet, has_chart = task
    return improvised(duet, subject, has_chart=has_chart)


def improvised(duet: Duet, subject: Subject, *, has_chart: bool = False) -> Notes:
    """Return what the improviser plays beside the player of a duet, as in a jam: it waits for the player.

    Args:
        duet: The duet.
        subject: The improviser.
        has_chart: Whether it has the duet's chords as its chart.
    """
    meter, chart = (duet.meter.numerator, duet.meter.denominator), duet.chart if has_chart else ()
    settings = replace(subject.settings, meter=meter, key=AUTO_KEY, chart=chart)
    engine = engine_in_beats(settings, subject.actor, np.random.default_rng(subject.seed), 0.0, waits=True)
    return from_messages(play_along(engine, to_messages(duet.heard), duet.frames / FRAMES))


def duet_figures(notes: Notes, duet: Duet) -> Figures:
    """Return how well notes fit the harmony and the player of a duet.

    `note in chord` is the share of the sounding notes, by time, that belong to the chord. `strong consonance` is the
    share of the strong beats where both sound on which our lowest note is consonant with each of the player's. `bass`
    is the share of the strong beats on which our lowest note is the chord's root or bass. `emergent consonance` is how
    much more consonant both are together than each alone. `clear` is the share of the time in which both sound and none
    of our notes is at or between the player's outer ones. `guide tones` is the share of our notes that are the
    third or seventh of a chord at its end, and are followed within a beat by a tone of the next chord that is at most a
    whole tone away, or the same. `doubled` is the share of our pitch classes, where both sound, that the player sounds
    too. `true changes` is the share of the changes between chords of ours, of three notes or
    more, that are to the root of the chord, and `changes` their number beside that of the duet's own changes.
    """
    found, heard = sounding(notes, duet.frames), sounding(duet.heard, duet.frames)
    theirs = pitch_classes(heard)
    lowest = np.where(found.any(axis=1), found.argmax(axis=1), -1)
    in_chord = (duet.harmony.bits[:, None] >> (np.arange(found.shape[1]) % OCTAVE)) & 1 > 0
    is_counted = found & (duet.harmony.bits > 0)[:, None]
    strong = duet.is_strong & (lowest >= 0)
    degrees = lowest % OCTAVE
    is_low = (degrees == duet.harmony.root) | (degrees == duet.harmony.bass)
    return {
        "note in chord": _share(in_chord[is_counted]),
        "strong consonance": _share(_is_consonant(lowest, theirs)[strong & (theirs > 0)]),
        "bass": _share(is_low[strong & (duet.harmony.root >= 0)]),
        "emergent consonance": _emergent_consonance(pitch_classes(found), theirs),
        "clear": _share(~_is_between(found, heard)[found.any(axis=1) & (theirs > 0)]),
        "doubled": _share(_doubled(pitch_classes(found), theirs)),
        "guide tones": _guide_tones(found, duet.harmony),
        **_changes(found, lowest % OCTAVE, duet.harmony),
    }


def _changes(found: npt.NDArray[np.bool_], lowest: npt.NDArray[np.int64], harmony: DuetHarmony) -> Figures:
    """Return how many of the changes between our chords are to the chord behind, and their number beside its own."""
    chords = pitch_classes(found)
    frames = np.flatnonzero(found.sum(axis=1) >= _CHORD_NOTES)
    changes = frames[1:][chords[frames[1:]] != chords[frames[:-1]]]
    behind = harmony.chord[harmony.chord >= 0]
    own = np.count_nonzero(np.diff(behind))
    is_judged = harmony.root[changes] >= 0
    return {
        "true changes": _share((lowest == harmony.root)[changes][is_judged]),
        "changes": float(len(changes) / own) if own and len(frames) else _UNKNOWN,
    }


def _doubled(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return for each pitch class of ours in a frame in which both sound whether it is one of theirs."""
    classes = 1 << np.arange(OCTAVE)
    sounds = (ours[:, None] & classes > 0) & (theirs > 0)[:, None]
    return np.asarray((theirs[:, None] & classes > 0)[sounds])


def _guide_tones(found: npt.NDArray[np.bool_], harmony: DuetHarmony) -> float:
    """Return the share of guide tones before a change that go on to a near tone of the new chord."""
    chord, bits, root = harmony.chord, harmony.bits, harmony.root
    changes = np.flatnonzero((chord[1:] != chord[:-1]) & (chord[1:] >= 0) & (chord[:-1] >= 0)) + 1
    resolved = []
    for at in changes.tolist():
        before = np.flatnonzero(found[at - 1])
        is_guide = np.isin((before - root[at - 1]) % OCTAVE, _GUIDE_DEGREES)
        is_guide &= (bits[at - 1] >> before % OCTAVE & 1) > 0
        after = np.flatnonzero(found[at : at + FRAMES].any(axis=0))
        after = after[(bits[at] >> after % OCTAVE & 1) > 0]
        resolved += [bool((np.abs(after - note) <= _STEP).any()) for note in before[is_guide].tolist()]
    return _share(np.array(resolved, dtype=np.bool_))


def _others(duet: Duet) -> dict[str, Notes]:
    """Return what each other partner plays beside the player of a duet."""
    partners = {}
    if len(duet.people):
        partners[PEOPLE] = duet.people
    partners[PARROT] = duet.heard + np.array([1, 1, 0])
    tonic = MIDDLE_C - OCTAVE + duet.tonic
    partners[DRONE] = np.array([[0.0, duet.frames / FRAMES, tonic]])
    partners[EAR] = _likeliest_tones(duet)
    return partners


def _likeliest_tones(duet: Duet) -> Notes:
    """Return the tones that the ear takes for the likeliest of the chord, each held until another one is likelier."""
    heard = duet.heard * np.array([TICKS_PER_BEAT, TICKS_PER_BEAT, 1])
    heard[:, 1] -= heard[:, 0]
    bar_steps = duet.meter.bar_sixteenths
    levels = LEVELS[METERS.index(duet.meter)]
    tracker, tones = HarmonyTracker(1, SIXTEENTHS_PER_BEAT), []
    for step, (bits, bass, top, struck) in enumerate(sounds_of([np.rint(heard).astype(np.int64)], duet.frames)):
        sound = Sounding(np.array([bits]), np.array([bass]), np.array([top]), np.array([struck > 0]))
        tracker.push(sound, levels[[step % bar_steps]], np.array([bar_steps]))
        tones.append(int(tracker.tones[0].argmax()) if tracker.tones.any() else _NO_TONE)
    changes = np.flatnonzero(np.diff(tones, prepend=_NO_TONE, append=_NO_TONE)).tolist()
    notes = [
        (start / FRAMES, end / FRAMES, MIDDLE_C - OCTAVE + tones[start])
        for start, end in pairwise(changes)
        if tones[start] != _NO_TONE
    ]
    return np.array(notes, dtype=np.float64).reshape(-1, 3)


def _is_consonant(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Return whether each frame's note of ours is consonant with all pitch classes of theirs, (frames,)."""
    allowed = np.zeros(len(ours), dtype=np.int64)
    for interval in CONSONANT_INTERVALS:
        for degree in (ours + interval, ours - interval):
            allowed |= 1 << degree % OCTAVE
    return np.asarray((theirs & ~allowed) == 0)


def _is_between(found: npt.NDArray[np.bool_], heard: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the frames in which a note of `found` is at or between the outer ones of `heard`, both (frames, 128)."""
    from_low = np.logical_or.accumulate(heard, axis=1)
    from_high = np.logical_or.accumulate(heard[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((found & from_low & from_high).any(axis=1))


def _emergent_consonance(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> float:
    """Return the mean over windows of the consonance of both parts less that of each alone.

    Consonance is minus the mean distance of the sounding pitch classes from their centre in tonal space.

    Source: M. Setzler and R. Goldstone (2020), "Coordination and consonance between interacting, improvising
    musicians", Open Mind 4. They spell notes in Chew's spiral; MIDI notes have no spelling, so the space is Harte's.
    """
    length = WINDOW_BEATS * FRAMES
    values = []
    for start in range(0, len(ours) - length + 1, length):
        mine, yours = (_counts(bits[start : start + length]) for bits in (ours, theirs))
        if mine.sum() and yours.sum():
            alone = (_spread(mine) + _spread(yours)) / 2
            values.append(alone - _spread(mine + yours))
    return float(np.mean(values)) if values else _UNKNOWN


def _counts(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return in how many frames each pitch class sounds, (12,)."""
    sounds = (bits[:, None] >> np.arange(OCTAVE)) & 1
    return np.asarray(sounds.sum(axis=0), dtype=np.float64)


def _spread(counts: npt.NDArray[np.float64]) -> float:
    """Return the mean distance of pitch classes, weighted by `counts`, from their centre in tonal space."""
    weights = counts / counts.sum()
    return float(weights @ np.linalg.norm(TONAL_SPACE - weights @ TONAL_SPACE, axis=1))


def _share(flags: npt.NDArray[np.bool_]) -> float:
    """Return the share of true values; nan without any."""
    return float(flags.mean()) if len(flags) else _UNKNOWN
