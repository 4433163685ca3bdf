"""MPE keyboards, which give each note a channel: each keyboard is one player."""

from __future__ import annotations

import pytest

from improviser.midi.message import (
    ChannelAftertouch,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    PitchBend,
    PolyAftertouch,
    ProgramChange,
    SongPosition,
    message_to_bytes,
)
from improviser.performer.inbox import ARRIVALS_MAX
from improviser.performer.input.mpe import MpeZones
from improviser.protocol import Controlled, Heard, Lifted
from tests.performing import KEYBOARD, Performance, performer_settings

PORT = "Seaboard"


def configured(master: int, members: int) -> list[Message]:
    """Return the MPE Configuration Message."""
    return [ControlChange(master, 101, 0), ControlChange(master, 100, 6), ControlChange(master, 6, members)]


def merged(zones: MpeZones, *messages: Message, port: str = PORT) -> list[Message | None]:
    """Return the messages after MPE merging."""
    return [zones.merged(message, port) for message in messages]


def touch(channel: int, note: int) -> list[Message]:
    """Return the messages of an MPE keyboard for a key that goes down."""
    return [PitchBend(channel, 0), ChannelAftertouch(channel, 0), NoteOn(channel, note, 90)]


@pytest.mark.parametrize(("master", "member", "outside"), [(0, 5, 6), (15, 10, 9)])
def test_a_zone_that_is_told_is_one_player(master: int, member: int, outside: int) -> None:
    """A zone's notes and pedals are on its master channel, per-note controls are dropped, other channels stay."""
    zones = MpeZones()
    merged(zones, *configured(master, 5))
    assert [NoteOn(master, 60, 90), NoteOff(master, 60)] == merged(zones, NoteOn(member, 60, 90), NoteOff(member, 60))
    assert [ControlChange(master, 64, 127)] * 2 == merged(
        zones, ControlChange(master, 64, 127), ControlChange(member, 64, 127)
    )
    shapes = PitchBend(member, 5), ChannelAftertouch(member, 5), PolyAftertouch(member, 60, 5)
    assert [None] * 5 == merged(zones, *shapes, ControlChange(member, 74, 5), ProgramChange(member, 1))
    assert [NoteOn(outside, 60, 90)] == merged(zones, NoteOn(outside, 60, 90))
    assert [NoteOn(member, 60, 90)] == merged(zones, NoteOn(member, 60, 90), port="Piano")
    assert [SongPosition(0)] == merged(zones, SongPosition(0))


def test_a_zone_can_be_taken_back_and_take_from_the_other() -> None:
    """A configuration with no members ends the zone; members claimed by two zones belong to the newer one."""
    zones = MpeZones()
    merged(zones, *configured(0, 10), *configured(15, 10))
    assert [NoteOn(15, 60, 1), NoteOn(0, 60, 1)] == merged(zones, NoteOn(7, 60, 1), NoteOn(3, 60, 1))
    merged(zones, NoteOff(7, 60), NoteOff(3, 60), *configured(15, 0))
    assert [NoteOn(7, 60, 1)] == merged(zones, NoteOn(7, 60, 1))


def test_other_parameters_are_no_configuration() -> None:
    """A bend range, on a master channel or elsewhere, makes no zone."""
    zones = MpeZones()
    merged(zones, ControlChange(0, 101, 0), ControlChange(0, 100, 0), ControlChange(0, 6, 12))
    merged(zones, *[ControlChange(3, control, value) for control, value in ((101, 0), (100, 6), (6, 5))])
    assert [NoteOn(2, 60, 1)] == merged(zones, NoteOn(2, 60, 1))


def test_a_zone_is_seen_from_what_is_played() -> None:
    """Four notes in a row, each on a channel that was bent and pressed before, make a zone."""
    zones = MpeZones()
    first = merged(zones, *(message for channel in (1, 2, 3) for message in touch(channel, 60 + channel)))
    assert NoteOn(3, 63, 90) == first[-1]
    assert NoteOn(0, 64, 90) == merged(zones, *touch(4, 64))[-1]
    assert [None, None, NoteOn(0, 65, 90)] == merged(zones, *touch(5, 65))
    assert [NoteOff(0, 64)] == merged(zones, NoteOff(4, 64))


def test_a_key_ends_where_it_began() -> None:
    """A key is released on the channel where it was pressed, even if the zone changed in between."""
    zones = MpeZones()
    merged(zones, NoteOn(3, 63, 90), *configured(0, 15))
    assert [NoteOff(3, 63), NoteOff(0, 63)] == merged(zones, NoteOff(3, 63), NoteOff(3, 63))
    merged(zones, NoteOn(4, 62, 90), *configured(0, 0))
    assert [NoteOff(0, 62), NoteOff(4, 62)] == merged(zones, NoteOff(4, 62), NoteOff(4, 62))
    merged(zones, NoteOn(5, 64, 90), *configured(0, 15))
    assert [NoteOn(5, 64, 70), NoteOff(5, 64)] == merged(zones, NoteOn(5, 64, 70), NoteOff(5, 64))


def test_a_members_channel_is_heard_on_its_masters() -> None:
    """A member channel is heard on its master channel; a key pressed earlier is still held on its own channel."""
    zones = MpeZones()
    merged(zones, *configured(0, 15))
    assert {0, 3} == zones.heard_on(3)
    merged(zones, NoteOn(3, 60, 90), *configured(0, 0))
    assert {0, 3} == zones.heard_on(3)
    assert {4} == zones.heard_on(4)


def test_a_sequencer_is_no_mpe_keyboard() -> None:
    """A sequencer, which plays several notes on a channel and changes programs, makes no zone."""
    zones = MpeZones()
    for channel in (1, 2, 3):
        merged(zones, *touch(channel, 60), NoteOn(channel, 64, 90), NoteOn(channel, 67, 90))
    for channel in (4, 5, 6, 7):
        merged(zones, *touch(channel, 60)[:2], ProgramChange(channel, 3), NoteOn(channel, 64, 90))
    assert [NoteOn(8, 60, 90)] == merged(zones, NoteOn(8, 60, 90))


def test_a_member_alone_may_be_listened_to_by_its_master() -> None:
    """Listening to channel 1 includes the zone whose master it is."""
    performance = Performance(performer_settings(listen_channels=(0,)))
    performance.play(0.5, *configured(0, 15), *touch(3, 64), NoteOff(3, 64))
    performance.run(until_s=2.0)
    assert [(0, 64)] == [(heard.channel, heard.note) for heard in performance.told(Heard)]


def test_what_is_held_comes_up_where_its_note_off_was_lost() -> None:
    """When a full queue drops messages of a member channel, its held keys are released on the master channel."""
    performance = Performance()
    performance.play(0.5, *configured(0, 15), *touch(3, 64))
    performance.at(1.0, lambda: fill(performance, PitchBend(3, 5)))
    performance.run(until_s=2.0)
    assert [(0, 64)] == [(up.channel, up.note) for up in performance.told(Lifted)]


def fill(performance: Performance, message: Message) -> None:
    """Receive more messages than the queue takes."""
    for _ in range(ARRIVALS_MAX + 1):
        performance.hears[KEYBOARD](message_to_bytes(message), performance.clock.now_ns())


def test_a_jam_hears_one_player() -> None:
    """In a zone channel 10 is not percussion, and per-note controls are not reported."""
    performance = Performance()
    performance.play(0.5, *configured(0, 15), *touch(9, 60), *touch(3, 64), ControlChange(0, 64, 127))
    performance.play(1.0, NoteOff(9, 60), NoteOff(3, 64))
    performance.run(until_s=2.0)
    assert [(0, 60), (0, 64)] == [(heard.channel, heard.note) for heard in performance.told(Heard)]
    assert [(0, 60), (0, 64)] == [(up.channel, up.note) for up in performance.told(Lifted)]
    assert (176, 64, 127) in [told.data for told in performance.told(Controlled)]
    assert not [told for told in performance.told(Controlled) if told.data[0] >> 4 in {0xD, 0xE}]
