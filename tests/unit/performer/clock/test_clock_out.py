"""The MIDI clock that the improviser sends: a follower always knows the beat."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.midi_clock import MidiClock, Sync
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, Message, NoteOff, NoteOn, SongPosition
from improviser.protocol import Act, Action
from tests.performing import ENGINE, Performance, performer_settings
from tests.unit.performer.clock.test_clock_sync import play_clock

ON = NoteOn(0, 60, 80)
TICK_S = 0.5 / 24


def performance(**engine: object) -> Performance:
    """Return a performance at 120 beats a minute that sends its clock."""
    return Performance(performer_settings(sends_clock=True, engine=ENGINE | engine))


def clock_messages(played: Performance) -> list[tuple[float, Message]]:
    """Return the clock messages that were sent."""
    kinds = {CLOCK, START, STOP, CONTINUE}
    return [sent for sent in played.sent if sent[1] in kinds or isinstance(sent[1], SongPosition)]


def followed(played: Performance) -> list[Sync]:
    """Return what a follower computes from the clock."""
    clock = MidiClock()
    heard = [clock.receive(message, at_s) for at_s, message in clock_messages(played)]
    return [sync for sync in heard if sync is not None]


def test_it_begins_with_the_first_note_and_ends_with_a_stop() -> None:
    """The clock sends Start, 24 even ticks a beat from the downbeat on, and Stop at the end."""
    played = performance()
    played.play(1.0, ON)
    played.run(until_s=5.01)
    messages = clock_messages(played)
    assert [START, CLOCK] == [message for _, message in messages[:2]]
    assert STOP == messages[-1][1]
    ticks = [at_s for at_s, message in messages if message == CLOCK]
    assert [1.0 + place * TICK_S for place in range(len(ticks))] == pytest.approx(ticks, abs=1e-4)
    assert 4 * 48 + 1 == len(ticks)


def test_a_follower_is_where_it_is() -> None:
    """A follower has the improviser's beat and tempo."""
    played = performance(tempo_bpm=97.0)
    played.play(1.0, ON)
    played.run(until_s=9.0)
    last = followed(played)[-1]
    assert 97.0 == pytest.approx(last.tempo_bpm, rel=1e-3)
    assert last.beat == pytest.approx((last.at_s - 1.0) * 97 / 60, abs=0.01)


def test_a_panic_loses_no_tick() -> None:
    """A panic does not drop the clock ticks that are already scheduled."""
    played = performance()
    played.play(1.0, ON)
    for at_s in (1.5, 2.0, 2.51):
        played.at(at_s, lambda: played.inbox.put(Act(Action.PANIC)))
    played.run(until_s=4.0)
    gaps = np.diff([at_s for at_s, message in clock_messages(played) if message == CLOCK])
    assert gaps.max() < 1.1 * TICK_S


def test_where_the_beat_jumps_the_place_is_told() -> None:
    """When the player's note after a pause is a new downbeat, the clock sends Stop, song position and Continue."""
    played = performance(patience_bars=1)
    played.play(1.0, ON)
    played.play(1.3, NoteOff(0, 60))
    played.play(6.83, ON)
    played.run(until_s=8.0)
    told = [message for at_s, message in clock_messages(played) if at_s > 6.8 and message != CLOCK]
    assert [STOP, SongPosition(32), CONTINUE] == told[:3]
    assert 8.0 <= (followed(played)[-1].beat or 0) <= 11.0


def test_it_stops_and_goes_on_with_an_outer_transport() -> None:
    """While another clock is followed, its stop and continue are sent on."""
    played = performance()
    stop_s = play_clock(played, 120.0, 1.0, 6, START)
    played.play(stop_s, STOP)
    play_clock(played, 120.0, stop_s + 2.0, 4, CONTINUE)
    played.run(until_s=stop_s + 4.0)
    kinds = [message for _, message in clock_messages(played) if message != CLOCK]
    assert [START, STOP] == kinds[:2]
    assert isinstance(kinds[2], SongPosition)
    assert CONTINUE == kinds[3]
