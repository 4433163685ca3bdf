"""The note window: keys, pedal, top voice, and the steps that messages belong to."""

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

DOWN = ControlChange(0, SUSTAIN_PEDAL, 64)
UP = ControlChange(0, SUSTAIN_PEDAL, 63)


def on(note: int, channel: int = 0) -> NoteOn:
    """Return a note-on."""
    return NoteOn(channel, note, 80)


def off(note: int, channel: int = 0) -> NoteOff:
    """Return a note-off."""
    return NoteOff(channel, note)


def heard(*steps: tuple[Message, ...]) -> NoteWindow:
    """Return a window that has heard the messages of each step, from step 0 on."""
    window = NoteWindow()
    for step, messages in enumerate(steps):
        for message in messages:
            window.hear(message, step)
    return window


def events(window: NoteWindow, steps: int) -> list[int]:
    """Return the events of the first steps."""
    return [window.played(step).event for step in range(steps)]


def test_silence_is_a_rest() -> None:
    """Without a key down the step is a rest."""
    assert HeardStep(REST, 0, SILENT, ()) == NoteWindow().played(0)


def test_a_held_key_sounds_until_it_is_up() -> None:
    """A held key gives an onset, then holds, then silence from the step on in which it comes up."""
    window = heard((on(60),), (), (off(60),))
    assert [60, HOLD, REST] == events(window, 3)
    assert [1, 1, 0] == [window.played(step).bits for step in range(3)]
    assert [(60,), (), ()] == [window.played(step).onsets for step in range(3)]


def test_a_note_shorter_than_a_step_is_heard() -> None:
    """A key that goes down and up within the step sounds in it."""
    window = heard((on(60), off(60)))
    assert HeardStep(60, 1, 60, (60,)) == window.played(0)
    assert REST == window.played(1).event


def test_a_note_counts_in_its_step_however_late_it_is_heard() -> None:
    """What is heard of an earlier step changes that step, and is held in the next."""
    window = NoteWindow()
    window.hear(on(64), 1)
    assert REST == window.played(0).event
    window.hear(on(60), 0)
    assert [60, 64] == events(window, 2)
    assert pitch_class_bits([60, 64]) == window.played(1).bits


def test_the_top_voice_is_the_highest_onset() -> None:
    """In a chord the highest note is the event, all pitch classes sound, and the onsets keep their order."""
    expected = HeardStep(67, pitch_class_bits([60, 64, 67]), 60, (64, 67, 60))
    assert expected == heard((on(64), on(67), on(60))).played(0)


def test_a_held_higher_key_covers_an_onset() -> None:
    """A note struck below a held melody note does not change the top voice; one above it does."""
    window = heard((on(72),), (on(60),), (on(76),))
    assert [72, HOLD, 76] == events(window, 3)
    assert (60,) == window.played(1).onsets


def test_a_key_that_comes_up_within_the_step_covers_nothing() -> None:
    """In a legato descent, where the old key overlaps the new one, the new one is heard."""
    assert [72, 71] == events(heard((on(72),), (on(71), off(72))), 2)


def test_a_key_slow_to_leave_gives_way() -> None:
    """As long as the old key is down it covers the new one; once it comes up in the next step, it covers nothing."""
    window = heard((on(72),), (on(71),))
    assert [72, HOLD] == events(window, 2)
    window.hear(off(72), 2)
    assert [72, 71, HOLD] == events(window, 3)


def test_an_inner_voice_stays_inside() -> None:
    """Where the upper key stays down for another step, the onset below it is not the top voice."""
    window = heard((on(72),), (on(60),), (), (off(72), off(60)))
    assert [72, HOLD, HOLD, REST] == events(window, 4)


def test_a_key_struck_again_is_a_new_note() -> None:
    """A key that goes down twice without coming up is struck twice, and comes up once."""
    window = heard((on(60),), (on(60),), (off(60),))
    assert [60, 60, REST] == events(window, 3)


def test_the_sustain_pedal_holds_what_is_released() -> None:
    """A released note sounds until the pedal is released; a held key sounds on."""
    window = heard((DOWN, on(60), on(64), off(60)), (), (UP,), ())
    assert [pitch_class_bits([60, 64])] * 2 + [1 << 4] * 2 == [window.played(step).bits for step in range(4)]


def test_a_pedalled_note_covers_nothing() -> None:
    """A note held only by the pedal does not cover a lower onset."""
    assert 60 == heard((DOWN, on(72), off(72)), (on(60),)).played(1).event


def test_each_channel_has_its_own_pedal() -> None:
    """The pedal of a channel does not affect another channel."""
    window = heard((DOWN, on(60), off(60), on(62, 1), off(62, 1)), (ControlChange(1, SUSTAIN_PEDAL, 0),))
    assert 1 == window.played(1).bits


def test_all_sound_off_ends_the_channels_notes() -> None:
    """Held and pedalled notes of the channel end, others sound on."""
    window = heard((DOWN, on(60), off(60), on(62), on(64, 1)), (ControlChange(0, ALL_SOUND_OFF, 0),))
    assert 1 << 4 == window.played(1).bits


@pytest.mark.parametrize("control", [ALL_NOTES_OFF, 124, 127])
def test_all_notes_off_lifts_the_channels_keys(control: int) -> None:
    """After all notes off, notes held by the pedal sound until the pedal is released."""
    lift = ControlChange(0, control, 0)
    assert REST == heard((on(58),), (lift,)).played(1).event
    window = heard((DOWN, on(60), off(60), on(62), on(64, 1)), (lift,), (ControlChange(0, SUSTAIN_PEDAL, 0),))
    assert [pitch_class_bits([60, 62, 64]), 1 << 4] == [window.played(step).bits for step in (1, 2)]


def test_other_messages_change_nothing() -> None:
    """A stray note-off, another controller and a program change do not affect the window."""
    window = heard((on(60), off(61), ControlChange(0, 1, 127), ProgramChange(0, 5)))
    assert HeardStep(60, 1, 60, (60,)) == window.played(0)


def test_silence_is_counted_from_the_last_step_that_sounds() -> None:
    """The silent steps are counted up to a step, also after the notes before them were forgotten."""
    window = heard((on(60),), (), (off(60),))
    window.hear(on(62), 9)
    assert [0, 0, 1, 2, 7, 0, 0] == [window.silence(step) for step in (0, 1, 2, 3, 8, 9, 12)]
    window.forget(1)
    assert 7 == window.silence(8)
    window.forget(5)
    assert (7, REST) == (window.silence(8), window.played(1).event)


def test_a_new_beginning_keeps_what_sounds() -> None:
    """After a new beginning at a step, keys that are down or pedalled are held there; all else is forgotten."""
    window = heard((DOWN, on(60), off(60), on(64), on(67, 1)), (off(67, 1),))
    window.begin(0)
    assert (HOLD, pitch_class_bits([60, 64])) == (window.played(0).event, window.played(0).bits)
    window.hear(on(62), 0)
    window.hear(off(64), 1)
    assert 62 == window.played(0).event
    empty = NoteWindow()
    empty.begin(10)
    assert 3 == empty.silence(12)


def test_steps_can_be_counted_anew() -> None:
    """After a recount all that was heard is as many steps later, and keys that are down stay down."""
    window = heard((on(60), on(64)), (off(60),))
    window.recount(10)
    assert [pitch_class_bits([60, 64]), 1 << 4, 1 << 4] == [window.played(step).bits for step in (10, 11, 20)]
    silent = heard((on(60),), (off(60),))
    silent.recount(-5)
    assert 3 == silent.silence(-2)


def test_touch_is_the_mean_of_the_last_onsets() -> None:
    """The velocity is the default before the first onset, then the mean of the last onsets."""
    assert DEFAULT_VELOCITY == NoteWindow().velocity
    window = heard((NoteOn(0, 60, 20), *[NoteOn(0, 60, 100)] * (TOUCHES - 1)))
    assert (20 + 100 * (TOUCHES - 1)) / TOUCHES == window.velocity
    window.hear(NoteOn(0, 60, 100), 1)
    assert 100 == window.velocity
