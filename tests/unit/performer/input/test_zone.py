"""Channel selection, and the keys on one side of a split."""

from __future__ import annotations

import pytest

from improviser.midi.message import ControlChange, Message, NoteOff, NoteOn, PitchBend, PolyAftertouch
from improviser.performer.input.zone import Zone
from improviser.protocol import Heard, Kept, Silenced
from tests.performing import Performance, bound, hanging, performer_settings


@pytest.mark.parametrize(
    ("is_heard", "message"),
    [
        (True, NoteOn(1, 60, 90)),
        (True, NoteOff(1, 72)),
        (False, NoteOn(1, 59, 90)),
        (False, NoteOff(1, 73)),
        (False, PolyAftertouch(1, 59, 3)),
        (False, NoteOn(0, 60, 90)),
        (True, ControlChange(1, 64, 127)),
        (False, ControlChange(2, 64, 127)),
        (True, PitchBend(1, 0)),
    ],
)
def test_a_zone_has_its_channels_and_keys(*, is_heard: bool, message: Message) -> None:
    """Keys outside the range are ignored; pedals and wheels of the channels are not."""
    assert is_heard is Zone(frozenset({1}), 60, 72).has(message)


def test_all_is_heard_where_nothing_is_said() -> None:
    """Without a channel setting every channel is heard."""
    assert all(Zone().has(NoteOn(channel, note, 1)) for channel in (0, 15) for note in (0, 127))


def test_below_the_split_the_player_is_alone() -> None:
    """Notes on the other side of the split neither begin the jam nor are reported; those on this side do both."""
    performance = Performance(performer_settings(listen_low=60, listen_channels=(2,)))
    performance.play(0.1, NoteOn(2, 48, 90), NoteOn(3, 64, 90))
    performance.play(1.0, NoteOn(2, 64, 90))
    performance.run(until_s=4.0)
    assert [(2, 64)] == [(heard.channel, heard.note) for heard in performance.told(Heard)]
    assert performance.sent
    assert performance.sent[0][0] >= 1.0
    assert not hanging(performance)


def test_pedals_are_obeyed_on_every_channel() -> None:
    """A panic and the control that saves the last bars work on every channel."""
    performance = Performance(performer_settings(listen_channels=(2,), bindings=bound(keep=80, panic=81)))
    performance.play(0.0, NoteOn(2, 64, 90))
    performance.play(1.0, ControlChange(9, 81, 127), ControlChange(9, 80, 127))
    performance.run(until_s=2.0)
    assert 1 == len(performance.told(Kept))
    assert {1.0} <= {round(event.at_s - 100.0, 3) for event in performance.told(Silenced)}


def test_drums_are_not_heard_as_pitches() -> None:
    """Notes on channel 10, the percussion, do not begin the jam unless the channel is chosen."""
    performance = Performance()
    performance.play(0.5, NoteOn(9, 36, 90), NoteOff(9, 36))
    performance.run(until_s=3.0)
    assert [] == performance.told(Heard)
    assert [] == performance.sent
    chosen = Performance(performer_settings(listen_channels=(9,)))
    chosen.play(0.5, NoteOn(9, 36, 90))
    chosen.run(until_s=3.0)
    assert [36] == [heard.note for heard in chosen.told(Heard)]
