"""Knobs, pads and pedals of the player's instruments."""

from __future__ import annotations

import pytest

from improviser.midi.message import (
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    PitchBend,
    PolyAftertouch,
    ProgramChange,
)
from improviser.performer.midi_mapping import MidiMapping
from improviser.protocol import Act, Action, Binding, ControlMessage, Knob, Turn

PORT = "Launchkey MK2 MIDI 1"
CHANGE = ControlMessage.CONTROL_CHANGE
ROWS: tuple[Binding, ...] = (
    Binding((), CHANGE, 66, None, "like"),
    Binding(("launchkey",), CHANGE, 21, None, "harmony"),
    Binding(("launchkey",), CHANGE, 22, 3, "density"),
    Binding(("launchkey",), ControlMessage.NOTE, 36, 9, "mute"),
    Binding(("launchkey",), ControlMessage.PROGRAM_CHANGE, 5, None, "freeze"),
    Binding(("launchkey",), CHANGE, 67, None, "undo"),
    Binding((), CHANGE, 67, None, "dislike"),
    Binding((), CHANGE, 23, None, "tempo"),
)


class Desk:
    """A MIDI mapping with the positions of its knobs, which turns change."""

    def __init__(self) -> None:
        """Set all knobs to the middle."""
        self.stands: dict[Knob, float] = dict.fromkeys(Knob, 1.0) | {Knob.TEMPO: 100.0}
        self.surface = MidiMapping(ROWS, ("nanoKONTROL2",))

    def play(self, *messages: Message, port: str = PORT) -> list[Turn | Act]:
        """Return the commands that follow from messages."""
        done = list[Turn | Act]()
        for message in messages:
            command = self.surface.asked(message, port, self.stands.__getitem__)
            if isinstance(command, Turn):
                self.stands[command.knob] = command.position
            done += [command] if isinstance(command, Turn | Act) else []
        return done


def harmony(*values: int) -> list[Message]:
    """Return the messages of a knob."""
    return [ControlChange(0, 21, value) for value in values]


def test_a_pedal_acts_when_it_goes_down() -> None:
    """A pedal acts once when it goes down, also through half-way values; holding and releasing do nothing."""
    down = [ControlChange(2, 66, value) for value in (10, 70, 127, 90, 0, 64)]
    assert [Act(Action.LIKE)] * 2 == Desk().play(*down, port="Any Piano")


def test_a_pad_acts_when_it_is_struck() -> None:
    """A pad acts on its channel only; its note-off and aftertouch do nothing, and are not music."""
    desk = Desk()
    assert [Act(Action.MUTE)] == desk.play(NoteOn(9, 36, 90), NoteOff(9, 36), NoteOn(0, 36, 90))
    assert desk.surface.owns(NoteOff(9, 36), PORT)
    assert [] == desk.play(PolyAftertouch(9, 36, 50))
    assert desk.surface.owns(PolyAftertouch(9, 36, 50), PORT)
    assert not desk.surface.owns(NoteOn(0, 36, 90), PORT)
    assert not desk.surface.owns(NoteOn(9, 36, 90), "Any Piano")
    assert not desk.surface.owns(PitchBend(0, 0), PORT)


def test_a_program_change_acts() -> None:
    """A bound program change acts like a pad."""
    assert [Act(Action.FREEZE)] == Desk().play(ProgramChange(4, 5), ProgramChange(4, 6))


def test_a_knob_takes_over_when_it_comes_by() -> None:
    """A knob turns nothing until it passes the present value, from below or above; then it controls it."""
    desk = Desk()
    assert [] == desk.play(*harmony(10, 30, 50))
    assert [1 + 6 / 63] == [turn.position for turn in desk.play(*harmony(70)) if isinstance(turn, Turn)]
    assert 2 == len(desk.play(*harmony(100, 127)))
    desk.stands[Knob.HARMONY] = 0.5  # turned elsewhere
    assert [] == desk.play(*harmony(126, 80))
    assert 1 == len(desk.play(*harmony(20)))


def test_a_knob_that_stands_right_turns_at_once() -> None:
    """A knob at the present value acts at once; its middle is 1, its ends 0 and 2."""
    desk = Desk()
    assert [Turn(Knob.HARMONY, 1.0)] == desk.play(*harmony(64))
    assert [0.0, 2.0] == [turn.position for turn in desk.play(*harmony(0, 127)) if isinstance(turn, Turn)]


def test_a_channel_can_be_asked_for() -> None:
    """With a channel in the binding, the same control on another channel is music."""
    desk = Desk()
    assert [] == desk.play(ControlChange(0, 22, 64))
    assert [Turn(Knob.DENSITY, 1.0)] == desk.play(ControlChange(3, 22, 64))


def test_what_names_the_port_comes_first() -> None:
    """A binding for a device hides the general binding of the same control on that device."""
    desk = Desk()
    assert [Act(Action.UNDO)] == desk.play(ControlChange(0, 67, 127))
    assert [Act(Action.DISLIKE)] == desk.play(ControlChange(0, 67, 127), port="Any Piano")


def test_the_tempo_has_steps_of_its_own() -> None:
    """The tempo is the value plus 60, once the knob has passed the present tempo."""
    assert [Turn(Knob.TEMPO, 101.0)] == Desk().play(ControlChange(0, 23, 10), ControlChange(0, 23, 41))


@pytest.mark.parametrize(("tempo_bpm", "value"), [(20.0, 0), (55.0, 2), (300.0, 127)])
def test_a_tempo_beyond_the_knob_is_taken_over_at_its_end(tempo_bpm: float, value: int) -> None:
    """A tempo outside the knob's range is taken over at the end of the knob."""
    desk = Desk()
    desk.stands[Knob.TEMPO] = tempo_bpm
    assert [Turn(Knob.TEMPO, 60.0 + value)] == desk.play(ControlChange(0, 23, value))


def test_all_notes_off_is_no_panic() -> None:
    """All notes off is the player's own message unless it is bound: many keyboards send it at each last key up."""
    desk = Desk()
    assert [] == desk.play(ControlChange(0, 123, 0), ControlChange(0, 120, 0))
    assert not desk.surface.owns(ControlChange(0, 123, 0), PORT)
    bound = MidiMapping([Binding((), CHANGE, 123, None, "panic")])
    for _ in range(2):  # devices send it with value 0
        assert Act(Action.PANIC) == bound.asked(ControlChange(0, 123, 0), PORT, lambda _: 1.0)


def test_nothing_of_a_controller_without_keys_is_music() -> None:
    """On a controller without keys, notes of unbound buttons do nothing and are not heard."""
    surface = Desk().surface
    assert surface.owns(NoteOn(0, 60, 90), "nanoKONTROL2 SLIDER/KNOB 24:0")
    assert surface.owns(ControlChange(0, 64, 127), "nanoKONTROL2 SLIDER/KNOB 24:0")
    assert not surface.owns(NoteOn(0, 60, 90), PORT)
