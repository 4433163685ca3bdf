"""The improviser's own output that comes back: what the echo filter drops, and what it treats as the player's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from improviser.midi.message import ControlChange, Message, NoteOff, NoteOn, ProgramChange, message_to_bytes
from improviser.performer.input.echo import OCTAVE, EchoFilter, LoopHeard

ON, OFF = NoteOn(0, 60, 80), NoteOff(0, 60)
Change = Callable[[Message], Message]


class Loop:
    """An echo filter, and a cable that brings back what is sent, changed by a function."""

    def __init__(self, change: Change = lambda message: message, look_ahead_s: float = 0.0) -> None:
        """Connect the cable."""
        self.told: list[LoopHeard] = []
        self.echoes = EchoFilter(self.told.append, lambda: look_ahead_s)
        self._change = change

    def send(self, message: Message, at_s: float) -> None:
        """Send a message that does not come back."""
        self.echoes.note_sent(message_to_bytes(message), at_s)

    def comes(self, message: Message, at_s: float, port: str = "A") -> bool:
        """Return whether the filter treats a received message as an echo."""
        return self.echoes.is_echo(message_to_bytes(message), at_s, port)

    def round(self, message: Message, at_s: float, delay_s: float = 0.02) -> bool:
        """Send a message that comes back; return whether the filter treats it as an echo."""
        self.send(message, at_s)
        return self.comes(self._change(message), at_s + delay_s)


def up(message: Message, semitones: int) -> Message:
    """Return a note moved up by some semitones."""
    assert isinstance(message, NoteOn | NoteOff)
    return replace(message, note=message.note + semitones)


def rounds_until_dropped(loop: Loop, notes: range = range(40)) -> int:
    """Return how many notes come back before one is dropped."""
    for place in notes:
        note = 48 + place * 5 % 24
        was_dropped = loop.round(NoteOn(0, note, 80 - place % 3), place * 0.2)
        loop.round(NoteOff(0, note), place * 0.2 + 0.1)
        if was_dropped:
            return place
    return len(notes)


def test_one_note_like_ours_is_the_players() -> None:
    """A single note like a sent one is heard as the player's."""
    loop = Loop()
    assert not loop.round(ON, 1.0)
    loop.send(NoteOn(0, 62, 80), 2.0)
    assert not loop.round(ON, 3.0)
    assert 0 == loop.echoes.count


def test_a_loop_is_proven_by_two_notes() -> None:
    """From the third returning note on, notes and their note-offs are dropped."""
    loop = Loop()
    dropped = [
        loop.round(message, place + after_s) for place in range(4) for message, after_s in ((ON, 0.0), (OFF, 0.5))
    ]
    assert [False] * 4 + [True] * 4 == dropped
    assert 4 == loop.echoes.count
    assert [LoopHeard("A", is_certain=False)] == loop.told


def test_a_note_off_goes_the_way_of_its_note_on() -> None:
    """A note-off is dropped exactly if its note-on was."""
    loop = Loop()
    loop.round(NoteOn(0, 60, 80), 0.0)
    loop.round(NoteOn(0, 62, 80), 0.1)
    assert loop.round(NoteOn(0, 64, 80), 0.2)
    assert not loop.round(NoteOff(0, 60), 0.3)
    assert loop.round(NoteOff(0, 64), 0.4)


def test_what_comes_late_is_no_loop() -> None:
    """A note that returns after more than 30 ms, or more than the output's look-ahead allows, is the player's."""
    late = Loop()
    assert not any(late.round(ON, float(place), delay_s=0.04) for place in range(5))
    slow = Loop(look_ahead_s=0.05)
    assert [False, False, True] == [slow.round(ON, float(place), delay_s=0.1) for place in range(3)]


@pytest.mark.parametrize(
    "message",
    [ControlChange(0, 64, 0), ControlChange(0, 120, 0), ControlChange(0, 123, 0), ProgramChange(0, 3)],
)
def test_controls_and_programs_of_a_loop_are_dropped(message: Message) -> None:
    """Controls and programs do not prove a loop, but are dropped once notes have proven it."""
    loop = Loop()
    assert not loop.round(message, 0.0)
    rounds_until_dropped(loop, range(1, 5))
    assert loop.round(message, 1.05)
    assert not loop.comes(message, 2.0)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda note: type(note)(5, note.note, note.velocity), 6),
        (lambda note: type(note)(note.channel, note.note + 12, note.velocity), 6),
        (lambda note: type(note)(note.channel, note.note, max(0, note.velocity - 9)), 10),
        (lambda note: type(note)(3, note.note - 12, 100 if isinstance(note, NoteOn) else 0), 10),
    ],
)
def test_a_loop_that_changes_notes_is_noticed(change: Change, most: int) -> None:
    """A loop that changes channel, octave or velocity is recognised after a few more notes."""
    loop = Loop(change)
    assert 3 <= rounds_until_dropped(loop) <= most
    assert [LoopHeard("A", is_certain=False)] == loop.told


def test_a_player_in_unison_now_and_then_is_heard() -> None:
    """A player who doubles two of three notes at the octave is heard: the third note shows that there is no loop."""
    loop = Loop()
    for place in range(300):
        at_s = place * 0.2
        loop.send(NoteOn(0, 60 + place % 7, 80), at_s)
        if place % 3:
            assert not loop.comes(NoteOn(0, 72 + place % 7, 80), at_s + 0.01)


def test_a_port_is_certain_to_be_no_players_after_seven_notes() -> None:
    """After seven returning notes the filter reports once that the port is certainly a loop."""
    loop = Loop()
    for place in range(20):
        loop.round(NoteOn(0, 60 + place % 5, 80), place * 0.2)
        loop.round(NoteOff(0, 60 + place % 5), place * 0.2 + 0.1)
        assert (place >= 6) is (LoopHeard("A", is_certain=True) in loop.told)
    assert 2 == len(loop.told)


def test_ports_are_looked_at_one_by_one() -> None:
    """A loop on one port does not affect another, and both ports may have one."""
    loop = Loop()
    for place in range(5):
        loop.round(ON, float(place))
    assert not loop.comes(NoteOn(0, 64, 80), 5.0, "B")
    for place in range(6, 12):
        loop.send(ON, float(place))
        assert loop.comes(ON, place + 0.01)
        assert (place >= 8) is loop.comes(ON, place + 0.01, "B")


def test_the_player_beside_a_loop_is_heard() -> None:
    """On a port with a loop the player's other notes are heard, and also a unison."""
    loop = Loop()
    for place in range(5):
        loop.round(ON, float(place))
    assert not loop.comes(NoteOn(0, 65, 80), 5.1)
    loop.send(ON, 6.0)
    assert loop.comes(ON, 6.01)
    assert not loop.comes(ON, 6.012)


def test_quick_repeats_that_are_passed_on_are_no_loop() -> None:
    """A key repeated 13 times a second and passed on with a look-ahead of 1,024 frames is always the player's."""
    loop = Loop(look_ahead_s=1024 / 48000)
    for place in range(240):
        at_s, message = place * 0.0385, OFF if place % 2 else ON
        assert not loop.comes(message, at_s)
        loop.echoes.note_sent(message_to_bytes(message), at_s, "A")
    assert not loop.told


@pytest.mark.parametrize("semitones", [0, OCTAVE])
def test_what_is_passed_on_into_a_loop_goes_round_once_it_is_proven(semitones: int) -> None:
    """In a proven loop the player's own notes that are passed on are dropped when they return, transposed or not."""
    loop = Loop(lambda message: up(message, semitones))
    rounds_until_dropped(loop)
    messages: list[Message] = [NoteOn(0, 50, 70), NoteOff(0, 50), NoteOn(0, 50, 70)]
    for place, message in enumerate(messages):
        at_s = 20.0 + place * 0.2
        assert not loop.comes(message, at_s)
        loop.echoes.note_sent(message_to_bytes(message), at_s, "A")
        assert loop.comes(up(message, semitones), at_s + 0.01)


def test_what_has_no_channel_is_no_echo() -> None:
    """Clock and system exclusive messages are never treated as echoes."""
    loop = Loop()
    for data in ((), (0xF8,), (0xF0, 0x7D, 0xF7)):
        loop.echoes.note_sent(data, 1.0)
        assert not loop.echoes.is_echo(data, 1.0, "A")


def test_a_unison_beside_a_proven_loop_is_another_player() -> None:
    """A DAW that plays back beside the loop strikes our pitch with its own velocity: only our own note is dropped."""
    loop = Loop()
    rounds_until_dropped(loop, range(5))
    for place, note in enumerate((60, 62, 64)):
        loop.send(NoteOn(0, note, 80), 10.0 + place)
        assert not loop.comes(NoteOn(0, note, 61), 10.01 + place)
        assert loop.comes(NoteOn(0, note, 80), 10.02 + place)
