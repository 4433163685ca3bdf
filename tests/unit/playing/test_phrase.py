"""Turning gestures into notes."""

from __future__ import annotations

import math

import pytest

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.actions import Gesture, GestureKind
from improviser.playing.phrase import UNDER, VELOCITY_MAX, VELOCITY_MIN, Dynamics, Phrase, own_accent

HOLD, REST = Gesture(GestureKind.HOLD), Gesture(GestureKind.REST)
PLAIN = Dynamics(80, 0.5)


def onset(note: int) -> Gesture:
    """Return the gesture that begins a note."""
    return Gesture(GestureKind.ONSET, (note,))


def velocity(touch: float, strength: float) -> int:
    """Return the velocity of an onset."""
    message = Phrase(0).play(onset(60), 0.0, Dynamics(touch, strength))[0].message
    assert isinstance(message, NoteOn)
    return message.velocity


def test_a_line_has_one_note_at_a_time() -> None:
    """An onset ends the sounding note, a hold does nothing, and a rest ends the note, on the phrase's channel."""
    phrase = Phrase(3)
    gestures = [onset(60), HOLD, onset(62), REST, REST]
    played = [phrase.play(gesture, float(at_s), Dynamics(100, 0.5)) for at_s, gesture in enumerate(gestures)]
    loud = round(100 * UNDER)
    assert [
        [TimedMessage(0.0, NoteOn(3, 60, loud))],
        [],
        [TimedMessage(2.0, NoteOff(3, 60)), TimedMessage(2.0, NoteOn(3, 62, loud))],
        [TimedMessage(3.0, NoteOff(3, 62))],
        [],
    ] == played


def test_a_phrase_knows_what_it_holds() -> None:
    """A phrase holds the notes that sound, and none in silence."""
    phrase = Phrase(0)
    notes = [phrase.notes]
    for gesture in (onset(60), HOLD, REST):
        phrase.play(gesture, 0.0, PLAIN)
        notes.append(phrase.notes)
    assert [(), (60,), (60,), ()] == notes


def test_an_end_ends_what_sounds() -> None:
    """Ending returns the note-off once."""
    phrase = Phrase(0)
    phrase.play(onset(60), 0.0, PLAIN)
    assert [TimedMessage(1.0, NoteOff(0, 60))] == phrase.end(1.0)
    assert [] == phrase.end(2.0)


def test_touch_follows_the_player_and_the_meter() -> None:
    """The velocity is a little below the player's and follows it; strong positions are louder."""
    assert velocity(100, 1.0) > velocity(100, 0.5) > velocity(100, 0.0)
    assert velocity(100, 0.5) < 100
    assert velocity(100, 0.5) > velocity(50, 0.5)


@pytest.mark.parametrize(("bound", "touch", "strength"), [(VELOCITY_MIN, 1, 0.0), (VELOCITY_MAX, 127 / UNDER, 1.0)])
def test_velocities_keep_their_bounds(bound: int, touch: float, strength: float) -> None:
    """The softest and the loudest velocities stay within their limits."""
    assert bound == velocity(touch, strength)


def test_a_chord_is_struck_and_ended_as_one() -> None:
    """All notes of a chord begin and end together, and the last chord is known after its end."""
    phrase = Phrase(0)
    chord = Gesture(GestureKind.ONSET, (48, 52, 55), 0)
    ons = [one.message for one in phrase.play(chord, 0.0, PLAIN)]
    assert [48, 52, 55] == [message.note for message in ons if isinstance(message, NoteOn)]
    assert [TimedMessage(1.0, NoteOff(0, note)) for note in (48, 52, 55)] == phrase.play(REST, 1.0, PLAIN)
    assert ((), (48, 52, 55)) == (phrase.notes, phrase.struck)


def test_what_was_ended_from_outside_is_not_ended_again() -> None:
    """After a forget a chord is no longer held, but its position is remembered."""
    phrase = Phrase(0)
    phrase.play(Gesture(GestureKind.ONSET, (48, 52, 55), 0), 0.0, PLAIN)
    phrase.forget()
    assert [] == phrase.end(1.0)
    assert (48, 52, 55) == phrase.struck


def test_notes_can_end_before_their_gesture_does() -> None:
    """A release ends the sound once; the notes count as held until the gesture that ends them."""
    phrase = Phrase(0)
    assert not phrase.can_release
    assert [] == phrase.release(0.0)
    phrase.play(onset(60), 0.0, PLAIN)
    assert phrase.can_release
    assert [TimedMessage(0.5, NoteOff(0, 60))] == phrase.release(0.5)
    assert ([], (60,), False) == (phrase.release(0.6), phrase.notes, phrase.can_release)
    assert ([], ()) == (phrase.play(REST, 1.0, PLAIN), phrase.notes)
    phrase.play(onset(64), 1.0, PLAIN)
    phrase.release(1.8)
    assert [TimedMessage(1.5, NoteOff(0, 64))] == phrase.end(1.5)
    phrase.play(onset(62), 2.0, PLAIN)
    assert [TimedMessage(3.0, NoteOff(0, 62))] == phrase.end(3.0)


def test_feel_leads_from_own_accents_to_the_players() -> None:
    """At feel 0 accents are improviser's, at 1 the player's, at a half between them, and at 2 beyond."""
    own, half, theirs, twice = (Dynamics(100, 1.0, feel, -0.2).velocity(0) for feel in (0.0, 0.5, 1.0, 2.0))
    assert round(100 * UNDER * math.exp(-0.2)) == theirs
    assert own > half > theirs > twice


def test_each_note_of_a_chord_has_its_scatter() -> None:
    """The scatter changes the velocities of a chord's notes each for itself, and not at feel 0."""
    scatter = (0.1, 0.0, -0.1)
    low, middle, high = (Dynamics(80, 0.5, 1.0, 0.0, scatter).velocity(index) for index in range(3))
    assert low > middle > high
    assert Dynamics(80, 0.5).velocity(0) == Dynamics(80, 0.5, 0.0, 0.5, scatter).velocity(0)


def test_own_accents_are_those_of_the_plain_velocity() -> None:
    """The logarithm of the accent gives the velocity of improviser's own accent at the usual loudness."""
    for strength in (0.0, 0.5, 1.0):
        plain = Dynamics(80, strength).velocity(0)
        assert plain == Dynamics(80, strength, 1.0, own_accent(strength)).velocity(0)
