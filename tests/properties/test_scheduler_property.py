"""Properties of the scheduler that hold for any input."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.playing.scheduler import Scheduler
from tests.sessions import longest_note_s, sounding_after
from tests.strategies import note_offs, note_ons

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_NOTE_S = 1.5
# Few channels, notes and times, so that they coincide.
CHANNELS = st.integers(0, 1)
MOMENTS = st.integers(0, 40).map(lambda eighths: eighths / 8)
MESSAGES = st.one_of(
    st.builds(NoteOn, CHANNELS, st.integers(60, 62), st.just(80)),
    st.builds(NoteOff, CHANNELS, st.integers(60, 62)),
)
TIMED = st.builds(TimedMessage, MOMENTS, MESSAGES)
# A message to add, a time up to which messages are taken out, or a release.
TURNS = st.lists(st.one_of(TIMED, TIMED, MOMENTS, st.just("release")), max_size=40)


def run(turns: Iterable[TimedMessage | float | str]) -> tuple[list[TimedMessage], float]:
    """Return the messages that a scheduler returns at ascending times, and the last time."""
    scheduler, played, now_s = Scheduler(MAX_NOTE_S), [], 0.0
    for turn in turns:
        if isinstance(turn, TimedMessage):
            scheduler.add(TimedMessage(now_s + turn.due_s, turn.message))
        elif isinstance(turn, str):
            played += scheduler.release(now_s)
        else:
            now_s += turn
            played += scheduler.pop_due(now_s)
    return played + scheduler.release(now_s), now_s


@given(TURNS)
def test_offs_never_outnumber_ons_and_all_notes_end(turns: list[TimedMessage | float | str]) -> None:
    """Each note-off follows its note-on, and after the last release no note sounds."""
    played, _ = run(turns)
    assert Counter() == sounding_after(played)


@given(TURNS)
def test_time_runs_forward_and_no_note_is_too_long(turns: list[TimedMessage | float | str]) -> None:
    """Messages come out in the order of their times, and no note is longer than the limit."""
    played, _ = run(turns)
    assert all(before.due_s <= after.due_s for before, after in pairwise(played))
    assert longest_note_s(played) <= MAX_NOTE_S


@given(st.lists(st.tuples(MOMENTS, st.one_of(note_ons(), note_offs())), max_size=40))
def test_at_one_instant_offs_come_first(timed: list[tuple[float, NoteOn | NoteOff]]) -> None:
    """At one time no note-off follows a note-on, except when a key is struck again."""
    scheduler = Scheduler(MAX_NOTE_S)
    for due_s, message in timed:
        scheduler.add(TimedMessage(due_s, message))
    for _, group in groupby(scheduler.pop_due(100.0), key=lambda played: played.due_s):
        played = [timed.message for timed in group]
        struck = {(message.channel, message.note) for message in played if isinstance(message, NoteOn)}
        first_on = next((at for at, message in enumerate(played) if isinstance(message, NoteOn)), len(played))
        late_offs = [message for message in played[first_on:] if isinstance(message, NoteOff)]
        assert all((message.channel, message.note) in struck for message in late_offs)
