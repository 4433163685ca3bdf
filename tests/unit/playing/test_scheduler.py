"""The scheduler: the order of messages, and no note that hangs."""

from __future__ import annotations

from improviser.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    ProgramChange,
    TimedMessage,
)
from improviser.playing.scheduler import Scheduler

ON, OFF = NoteOn(0, 60, 80), NoteOff(0, 60, 5)


def scheduler(*timed: tuple[float, Message], max_note_s: float = 8.0) -> Scheduler:
    """Return a scheduler with messages at these times."""
    scheduled = Scheduler(max_note_s)
    for due_s, message in timed:
        scheduled.add(TimedMessage(due_s, message))
    return scheduled


def pop(scheduled: Scheduler, at_s: float) -> list[tuple[float, Message]]:
    """Return what is due."""
    return [(timed.due_s, timed.message) for timed in scheduled.pop_due(at_s)]


def test_messages_come_when_they_are_due() -> None:
    """A message is returned once, at its time and not earlier."""
    scheduled = scheduler((1.0, ON))
    assert [] == pop(scheduled, 0.99)
    assert [(1.0, ON)] == pop(scheduled, 1.0)
    assert [] == pop(scheduled, 1.0)


def test_messages_come_in_the_order_of_time() -> None:
    """Messages are returned in the order of their times, whatever the order in which they were added."""
    scheduled = scheduler((2.0, OFF), (1.0, ON), (1.5, NoteOn(0, 62, 80)))
    assert [1.0, 1.5, 2.0] == [due_s for due_s, _ in pop(scheduled, 3.0)]


def test_at_one_instant_offs_come_first_and_ons_last() -> None:
    """At one time note-offs come first, then other messages in the order of adding, then note-ons."""
    scheduled = scheduler((0.0, ON))
    pop(scheduled, 0.0)
    program, control = ProgramChange(0, 1), ControlChange(0, 7, 100)
    for message in (NoteOn(0, 62, 80), program, control, OFF):
        scheduled.add(TimedMessage(1.0, message))
    assert [OFF, program, control, NoteOn(0, 62, 80)] == [message for _, message in pop(scheduled, 1.0)]


def test_an_off_for_what_is_silent_does_not_go_out() -> None:
    """A note-off before its note, or a second one, is dropped."""
    assert [(1.0, ON), (2.0, OFF)] == pop(scheduler((0.5, OFF), (1.0, ON), (2.0, OFF), (3.0, OFF)), 9.0)


def test_an_earlier_end_replaces_a_later_one_of_the_same_note() -> None:
    """A note that is ended sooner and struck again is not cut by the end that was planned first."""
    planned = (1.0, ON), (1.5, NoteOn(0, 62, 80)), (1.8, NoteOff(0, 62)), (2.0, OFF)
    scheduled = scheduler(*planned, (1.2, OFF), (1.2, ON), (3.0, OFF))
    assert [1.0, 1.2, 1.2, 1.5, 1.8, 3.0] == [due_s for due_s, _ in pop(scheduled, 9.0)]


def test_an_earlier_end_leaves_the_end_of_a_note_that_is_struck_later() -> None:
    """Of a note that is struck again after the earlier end, the later end belongs to that stroke."""
    scheduled = scheduler((1.0, ON), (2.0, ON), (3.0, OFF), (1.5, OFF))
    assert [1.0, 1.5, 2.0, 3.0] == [due_s for due_s, _ in pop(scheduled, 9.0)]


def test_a_note_struck_again_is_ended_first() -> None:
    """A key struck again while it sounds gets its note-off before the new note-on."""
    again = NoteOn(0, 60, 90)
    assert [(1.0, ON), (2.0, NoteOff(0, 60)), (2.0, again)] == pop(scheduler((1.0, ON), (2.0, again)), 2.0)


def test_no_note_is_longer_than_the_longest() -> None:
    """A note without a note-off ends at the longest duration, and its late note-off is dropped."""
    other = NoteOn(0, 62, 80)
    scheduled = scheduler((0.0, ON), (3.0, other), (4.0, OFF), max_note_s=2.0)
    assert [(0.0, ON), (2.0, NoteOff(0, 60)), (3.0, other)] == pop(scheduled, 4.5)
    assert [(5.0, NoteOff(0, 62))] == pop(scheduled, 5.0)


def test_the_next_moment_is_known() -> None:
    """The next time is that of the next message or of the next note that must end; None without any."""
    scheduled = scheduler((1.0, ON), (9.0, OFF), max_note_s=2.0)
    moments = [scheduled.next_due_s]
    for at_s in (1.0, 3.0, 9.0):
        pop(scheduled, at_s)
        moments.append(scheduled.next_due_s)
    assert [1.0, 3.0, 9.0, None] == moments


def test_what_sounds_is_known() -> None:
    """A note counts as sounding once it was sent."""
    scheduled = scheduler((1.0, ON), (2.0, OFF))
    sounding = []
    for at_s in (0.0, 1.0, 2.0):
        pop(scheduled, at_s)
        sounding.append(scheduled.sounding)
    assert [frozenset(), {(0, 60)}, frozenset()] == sounding


def test_a_release_ends_all_and_drops_what_is_pending() -> None:
    """A release ends each sounding note, then pedal, notes and sound on each used channel, and drops the rest."""
    scheduled = scheduler((0.0, NoteOn(2, 62, 80)), (0.0, NoteOn(0, 64, 80)), (5.0, ON))
    pop(scheduled, 0.0)
    released = [(timed.due_s, timed.message) for timed in scheduled.release(1.0)]
    controls = [ControlChange(channel, control, 0) for channel in (0, 2) for control in _ENDINGS]
    assert [(1.0, message) for message in [NoteOff(0, 64), NoteOff(2, 62), *controls]] == released
    assert ([], frozenset(), None) == (pop(scheduled, 9.0), scheduled.sounding, scheduled.next_due_s)


def test_a_release_where_nothing_was_played_is_empty() -> None:
    """A release before any note is empty."""
    assert [] == scheduler((5.0, ON)).release(1.0)


_ENDINGS = (SUSTAIN_PEDAL, ALL_NOTES_OFF, ALL_SOUND_OFF)


def test_what_could_not_be_ended_sounds_until_it_is_released() -> None:
    """A note-off that could not be sent is returned again by `release` only; a note-on is not."""
    scheduler = Scheduler(8.0)
    scheduler.add(TimedMessage(1.0, NoteOn(0, 60, 80)))
    scheduler.add(TimedMessage(2.0, NoteOff(0, 60)))
    _, off = scheduler.pop_due(2.0)
    assert not scheduler.sounds(0, 60)
    scheduler.put_back([TimedMessage(2.0, NoteOn(0, 62, 80)), off])
    assert scheduler.sounds(0, 60)
    assert not scheduler.sounds(0, 62)
    assert scheduler.next_due_s is None
    assert [] == scheduler.pop_due(99.0)
    assert NoteOff(0, 60) == scheduler.release(100.0)[0].message
    assert frozenset() == scheduler.sounding
