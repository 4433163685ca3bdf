"""Players with a known beat, for the tests of following."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from improviser.config.beat_model import load_beat_weights
from improviser.listening.beat_tracker import BeatTracker
from improviser.midi.message import NoteOff, NoteOn, TimedMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.music.meter import Meter

# The chords of four bars: C, Am, F, G.
CHORDS = ((48, 64, 67, 72), (45, 64, 69, 72), (41, 65, 69, 72), (43, 62, 67, 71))
MELODY = (72, 74, 76, 79, 76, 74, 72, 71)


def accompaniment(beats_s: Sequence[float], size: int = 4) -> list[TimedMessage]:
    """Return a piano on some beats: bass and chord on each downbeat, a chord on each beat, eighths above."""
    messages = []
    for beat, (at_s, next_s) in enumerate(pairwise(beats_s)):
        bass, *chord = CHORDS[beat // size % len(CHORDS)]
        half_s = (at_s + next_s) / 2
        struck = [(note, 64) for note in chord] + ([(bass, 90)] if beat % size == 0 else [])
        melody = [(at_s, MELODY[beat % 8] + 12), (half_s, MELODY[(beat + 3) % 8] + 12)]
        messages += [TimedMessage(at_s, NoteOn(0, note, velocity)) for note, velocity in struck]
        messages += [TimedMessage(next_s - 0.02, NoteOff(0, note)) for note, _ in struck]
        messages += [TimedMessage(onset_s, NoteOn(1, note, 76)) for onset_s, note in melody]
        messages += [TimedMessage(onset_s + 0.1, NoteOff(1, note)) for onset_s, note in melody]
    return sorted(messages, key=lambda timed: timed.due_s)


def steady(tempo_bpm: float, beats: int, start_s: float = 1.0) -> list[float]:
    """Return the moments of beats at one tempo."""
    return [start_s + beat * 60 / tempo_bpm for beat in range(beats)]


def make_tracker(prior_bpm: float = 110.0, meter: Meter | None = None) -> BeatTracker:
    """Return a tracker with the shipped model."""
    return BeatTracker(prior_bpm, meter, load_beat_weights())


def listen(tracker: BeatTracker, messages: Sequence[TimedMessage]) -> BeatTracker:
    """Return the tracker after it has heard messages."""
    for timed in messages:
        if isinstance(timed.message, NoteOn):
            tracker.hear(timed.due_s, timed.message.note, timed.message.velocity)
    return tracker
