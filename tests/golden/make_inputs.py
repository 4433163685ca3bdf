"""Write the input of each golden session: `python -m tests.golden.make_inputs`.

The files are checked in; this script documents their content.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ChannelAftertouch,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
    SysEx,
)
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, Track, write_file
from improviser.music.pitch import parse_note

FOLDER: Final = Path(__file__).parent
TICKS: Final = 480
STEP: Final = TICKS // 4
# A note a beat, "-" for a rest.
TUNE: Final = "D4 F#4 A4 D5 C#5 B4 A4 G4 F#4 E4 D4 E4 F#4 A4 G4 F#4 E4 D4 C#4 D4"
WALTZ: Final = "G4 B4 D5 D5 - - E5 D5 C5 B4 - - A4 C5 E5 E5 - - D5 C5 A4 G4 - -"


def melody_in_a_heard_key() -> Song:
    """Return five bars in D, slightly early and late, with changing velocity, as played by hand."""
    rng = np.random.default_rng(11)
    pitches = [
        "D4",
        "F#4",
        "A4",
        "D5",
        "C#5",
        "B4",
        "A4",
        "G4",
        "F#4",
        "E4",
        "D4",
        "E4",
        "F#4",
        "A4",
        "G4",
        "F#4",
        "E4",
        "D4",
        "C#4",
        "D4",
    ]
    events: list[TimedEvent] = []
    for beat, pitch in enumerate(pitches):
        tick = max(0, beat * TICKS + int(rng.integers(-25, 26)))
        events.append(TimedEvent(tick, NoteOn(0, parse_note(pitch), int(rng.integers(50, 110)))))
        events.append(TimedEvent(tick + int(rng.integers(200, 460)), NoteOff(0, parse_note(pitch))))
    return _song(events, [TempoChange(0, 545_455)], [MeterChange(0, 4, 4)])


def chords_under_the_pedal() -> Song:
    """Return I vi IV V in A minor, struck and released at once, each held by the pedal for a bar."""
    events: list[TimedEvent] = []
    for bar, chord in enumerate(["A3 C4 E4", "F3 A3 C4", "D3 F3 A3", "E3 G#3 B3"] * 2):
        tick = bar * 4 * TICKS
        events.append(TimedEvent(tick, ControlChange(0, SUSTAIN_PEDAL, 0)))
        pitches = [parse_note(pitch) for pitch in chord.split()]
        events += [TimedEvent(tick, NoteOn(0, pitch, 70)) for pitch in pitches]
        events.append(TimedEvent(tick + 30, ControlChange(0, SUSTAIN_PEDAL, 127)))
        events += [TimedEvent(tick + 200, NoteOff(0, pitch)) for pitch in pitches]
    return _song(events, [TempoChange(0, 500_000)], [MeterChange(0, 4, 4)])


def three_four_with_tempo_changes() -> Song:
    """Return a waltz in G whose tempo changes twice, once within a bar."""
    pitches = [
        "G4",
        "B4",
        "D5",
        "D5",
        "-",
        "-",
        "E5",
        "D5",
        "C5",
        "B4",
        "-",
        "-",
        "A4",
        "C5",
        "E5",
        "E5",
        "-",
        "-",
        "D5",
        "C5",
        "A4",
        "G4",
        "-",
        "-",
    ]
    events: list[TimedEvent] = []
    for beat, pitch in enumerate(pitches):
        if pitch != "-":
            events.append(TimedEvent(beat * TICKS, NoteOn(0, parse_note(pitch), 90)))
            events.append(TimedEvent((beat + 1) * TICKS - 10, NoteOff(0, parse_note(pitch))))
    tempos = [TempoChange(0, 400_000), TempoChange(6 * TICKS, 600_000), TempoChange(13 * TICKS + 77, 350_000)]
    return _song(events, tempos, [MeterChange(0, 3, 4)])


def rests_and_garbage() -> Song:
    """Return a few notes between long silences, among other keyboard messages, many of them unmatched."""
    noise: list[Message] = [
        NoteOff(0, 10),
        PitchBend(0, 4000),
        ChannelAftertouch(3, 99),
        ProgramChange(5, 12),
        SysEx(bytes([0x7D, 1, 2])),
        ControlChange(0, 1, 64),
        ControlChange(0, SUSTAIN_PEDAL, 127),
        NoteOn(9, 36, 127),
        ControlChange(0, 123, 0),
        ControlChange(9, 120, 0),
    ]
    events = [TimedEvent(37 + 211 * number, message) for number, message in enumerate(noise * 3)]
    for tick, pitch in [(0, 60), (STEP // 2, 64), (5 * TICKS + 90, 67), (17 * TICKS, 127), (29 * TICKS, 0)]:
        events += [TimedEvent(tick, NoteOn(1, pitch, 1)), TimedEvent(tick + STEP, NoteOn(1, pitch, 127))]
    events.append(TimedEvent(31 * TICKS, NoteOff(1, 127)))
    return _song(events, [], [])


def _song(events: list[TimedEvent], tempos: list[TempoChange], meters: list[MeterChange]) -> Song:
    """Return a song with one track."""
    ordered = sorted(events, key=lambda event: event.tick)
    return Song(TICKS, tuple(tempos), tuple(meters), (Track("keys", tuple(ordered)),))


SONGS: Final = {
    "melody_in_a_heard_key": melody_in_a_heard_key,
    "chords_below_a_melody": melody_in_a_heard_key,
    "chords_under_the_pedal": chords_under_the_pedal,
    "three_four_with_tempo_changes": three_four_with_tempo_changes,
    "rests_and_garbage": rests_and_garbage,
}


def main() -> None:
    """Write every input."""
    for name, make_song in SONGS.items():
        write_file(FOLDER / name / "input.mid", make_song())


if __name__ == "__main__":
    main()
