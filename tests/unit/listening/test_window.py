"""The note window: keys, pedal, top voice, late onsets."""

from __future__ import annotations

import pytest

from improviser.listening.line import HOLD, REST, SILENT
from improviser.listening.window import DEFAULT_VELOCITY, TOUCHES, HeardStep, NoteWindow
from improviser.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    ProgramChange,
)
from improviser.music.pitch import pitch_class_bits
from tests.hearing import taken

DOWN = ControlChange(0, SUSTAIN_PEDAL, 64)
UP = ControlChange(0, SUSTAIN_PEDAL, 63)


def on(note: int, channel: int = 0) -> NoteOn:
    """Return a note-on."""
    return NoteOn(channel, note, 80)


def off(note: int, channel: int = 0) -> NoteOff:
    """Return a note-off."""
    return NoteOff(channel, note)


def hear(window: NoteWindow, *messages: Message, at_s: float = 1.0, since_s: float = 0.0) -> HeardStep:
    """Pass messages to the window at one time, and close the step."""
    for message in messages:
        window.hear(message, at_s)
    return taken(window, since_s)


def test_silence_is_a_rest() -> None:
    """Without a key down the step is a rest."""
    assert HeardStep(REST, None, 0, SILENT, ()) == hear(NoteWindow())


def test_a_held_key_sounds_until_it_is_up() -> None:
    """A held key gives an onset, then holds, then silence."""
    window = NoteWindow()
    steps = [hear(window, on(60)), hear(window), hear(window, off(60))]
    assert [60, HOLD, REST] == [step.event for step in steps]
    assert [1, 1, 0] == [step.bits for step in steps]
    assert [(60,), (), ()] == [step.onsets for step in steps]


def test_a_note_shorter_than_a_step_is_heard() -> None:
    """A key that goes down and up within the step sounds in it."""
    assert HeardStep(60, None, 1, 60, (60,)) == hear(NoteWindow(), on(60), off(60))


def test_the_top_voice_is_the_highest_onset() -> None:
    """In a chord the highest note is the event, all pitch classes sound, and the onsets keep their order."""
    heard = hear(NoteWindow(), on(64), on(67), on(60))
    assert HeardStep(67, None, pitch_class_bits([60, 64, 67]), 60, (64, 67, 60)) == heard


def test_a_held_higher_key_covers_an_onset() -> None:
    """A note struck below a held melody note does not change the top voice."""
    window = NoteWindow()
    hear(window, on(72))
    covered = hear(window, on(60))
    assert (HOLD, (60,)) == (covered.event, covered.onsets)
    assert HeardStep(76, None, 0b10001, 60, (76,)) == hear(window, on(76))


def test_a_key_that_comes_up_within_the_step_covers_nothing() -> None:
    """In a legato descent, where the old key overlaps the new one, the new one is heard."""
    window = NoteWindow()
    hear(window, on(72))
    assert 71 == hear(window, on(71), off(72)).event


def test_a_key_slow_to_leave_gives_way_one_step_late() -> None:
    """Where the old key is released in the next step, the onset below it is reported as late."""
    window = NoteWindow()
    hear(window, on(72))
    assert (HOLD, None) == _top(hear(window, on(71)))
    assert (HOLD, 71) == _top(hear(window, off(72)))
    assert (HOLD, None) == _top(hear(window))


def test_an_inner_voice_stays_inside() -> None:
    """Where the upper key stays down, or the lower one is released first, no onset is reported as late."""
    window = NoteWindow()
    hear(window, on(72))
    assert [(HOLD, None)] * 2 == [_top(hear(window, on(60))), _top(hear(window))]
    assert [(HOLD, None)] * 2 == [_top(hear(window, on(62))), _top(hear(window, off(62)))]
    assert (HOLD, None) == _top(hear(window, off(72)))


def _top(heard: HeardStep) -> tuple[int, int | None]:
    """Return the event and the late onset."""
    return heard.event, heard.late


def test_an_early_onset_is_late_for_the_step_before() -> None:
    """An onset before the step's half counts for the previous step, and sounds on while its key is down."""
    window = NoteWindow()
    assert HeardStep(HOLD, 60, 1, 60, (60,)) == hear(window, on(60), at_s=0.9, since_s=1.0)
    window = NoteWindow()
    window.hear(on(60), 0.9)
    window.hear(on(62), 1.1)
    assert (62, 60) == _top(taken(window, 1.0))


def test_an_onset_at_the_boundary_belongs_to_the_step() -> None:
    """An onset exactly at the start of the step's range belongs to the step."""
    assert (60, None) == _top(hear(NoteWindow(), on(60), at_s=1.0, since_s=1.0))


def test_looking_takes_nothing() -> None:
    """Peeking, however often, returns what the step gives when it is closed."""
    window = NoteWindow()
    window.hear(on(60), 1.0)
    assert window.peek(0.0) == window.peek(0.0) == taken(window, 0.0)
    assert HOLD == window.peek(0.0).event


def test_the_sustain_pedal_holds_what_is_released() -> None:
    """A released note sounds until the pedal is released; a held key sounds on."""
    window = NoteWindow()
    heard = hear(window, DOWN, on(60), on(64), off(60))
    assert (64, pitch_class_bits([60, 64])) == (heard.event, heard.bits)
    assert {(0, 60), (0, 64)} == window.sounding
    assert (HOLD, 1 << 4) == (hear(window, UP).event, hear(window).bits)


def test_a_pedalled_note_covers_nothing() -> None:
    """A note held only by the pedal does not cover a lower onset."""
    window = NoteWindow()
    hear(window, DOWN, on(72), off(72))
    assert 60 == hear(window, on(60)).event


def test_each_channel_has_its_own_pedal() -> None:
    """The pedal of a channel does not affect another channel."""
    window = NoteWindow()
    hear(window, DOWN, on(60), off(60), on(62, 1), off(62, 1))
    assert {(0, 60)} == window.sounding
    hear(window, ControlChange(1, SUSTAIN_PEDAL, 0))
    assert {(0, 60)} == window.sounding


def test_all_sound_off_ends_the_channels_notes() -> None:
    """Held and pedalled notes of the channel end, others sound on."""
    window = NoteWindow()
    hear(window, DOWN, on(60), off(60), on(62), on(64, 1), ControlChange(0, ALL_SOUND_OFF, 0))
    assert {(1, 64)} == window.sounding


@pytest.mark.parametrize("control", [ALL_NOTES_OFF, 124, 127])
def test_all_notes_off_lifts_the_channels_keys(control: int) -> None:
    """After all notes off, notes held by the pedal sound until the pedal is released."""
    window = NoteWindow()
    hear(window, on(58), ControlChange(0, control, 0))
    assert set() == window.sounding
    hear(window, DOWN, on(60), off(60), on(62), on(64, 1), ControlChange(0, control, 0))
    assert {(0, 60), (0, 62), (1, 64)} == window.sounding
    hear(window, ControlChange(0, SUSTAIN_PEDAL, 0))
    assert {(1, 64)} == window.sounding


def test_other_messages_change_nothing() -> None:
    """A stray note-off, another controller and a program change do not affect the window."""
    window = NoteWindow()
    heard = hear(window, on(60), off(61), ControlChange(0, 1, 127), ProgramChange(0, 5))
    assert HeardStep(60, None, 1, 60, (60,)) == heard


def test_touch_is_the_mean_of_the_last_onsets() -> None:
    """The velocity is the default before the first onset, then the mean of the last onsets."""
    window = NoteWindow()
    assert DEFAULT_VELOCITY == window.velocity
    hear(window, NoteOn(0, 60, 20), *[NoteOn(0, 60, 100)] * (TOUCHES - 1))
    assert (20 + 100 * (TOUCHES - 1)) / TOUCHES == window.velocity
    hear(window, NoteOn(0, 60, 100))
    assert 100 == window.velocity
