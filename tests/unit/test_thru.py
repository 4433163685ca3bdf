"""MIDI thru: at once, whole, and without a stuck note."""

from __future__ import annotations

from collections.abc import Sequence

from improviser.control import Act, Action, Played
from improviser.daemon.inbox import PortLost
from improviser.daemon.ledger import NOTE_CELLS, SIZE
from improviser.daemon.thru import LOOP_NS, Thru
from improviser.midi.message import ControlChange, Message, NoteOff, NoteOn, PitchBend
from improviser.ports.loopback import LoopbackBackend
from tests.performing import KEYBOARD, Performance, hanging, performer_settings


def passing() -> Performance:
    """Give a performance that passes on what comes in."""
    return Performance(performer_settings(thru=True))


def of_channel(performance: Performance, channel: int) -> list[tuple[float, Message]]:
    """Give what was sent on a channel."""
    return [pair for pair in performance.sent if getattr(pair[1], "channel", None) == channel]


def test_what_comes_in_goes_out_at_its_moment() -> None:
    """Notes, pedals and wheels leave as they came, while the improviser plays beside them."""
    performance = passing()
    performance.play(0.03, NoteOn(5, 64, 90), ControlChange(5, 64, 127), PitchBend(5, 100))
    performance.play(0.61, NoteOff(5, 64, 12), ControlChange(5, 64, 0))
    performance.run(until_s=3.0)
    expected = [
        (0.03, NoteOn(5, 64, 90)),
        (0.03, ControlChange(5, 64, 127)),
        (0.03, PitchBend(5, 100)),
        (0.61, NoteOff(5, 64, 12)),
        (0.61, ControlChange(5, 64, 0)),
    ]
    assert expected == of_channel(performance, 5)
    assert performance.told(Played)


def test_nothing_goes_out_where_it_is_not_wanted() -> None:
    """Thru is off by default."""
    performance = Performance()
    performance.play(0.03, NoteOn(5, 64, 90))
    performance.run(until_s=1.0)
    assert [] == of_channel(performance, 5)


def test_a_clock_and_system_messages_are_not_passed_on() -> None:
    """They have no channel: what follows a clock must not get two of them."""
    performance = passing()
    performance.play_bytes(0.1, [0xF8])
    performance.play_bytes(0.2, [0xF0, 0x7D, 0xF7])
    performance.run(until_s=1.0)
    assert [] == performance.sent


def test_keys_that_are_held_come_up_in_the_end_and_at_a_panic() -> None:
    """Whoever still holds a key or a pedal: nothing sounds on after the end or a panic."""
    performance = passing()
    performance.play(0.1, NoteOn(5, 64, 90), ControlChange(5, 64, 127))
    performance.at(0.5, lambda: performance.inbox.put(Act(Action.PANIC)))
    performance.play(0.7, NoteOn(5, 67, 90))
    performance.run(until_s=1.0)
    assert (0.5, NoteOff(5, 64)) in performance.sent
    assert (0.5, ControlChange(5, 64, 0)) in performance.sent
    assert (1.0, NoteOff(5, 67)) in performance.sent
    assert not hanging(performance)
    assert not any(performance.cells[:NOTE_CELLS])


def test_keys_of_a_port_that_goes_come_up() -> None:
    """Nobody else will lift them; those of other ports stay."""
    performance = passing()
    performance.play(0.1, NoteOn(5, 64, 90), ControlChange(5, 64, 127))
    performance.play(0.2, NoteOn(6, 67, 90), port="Improviser In")
    performance.at(0.5, lambda: performance.inbox.put(PortLost(KEYBOARD, is_output=False)))
    performance.run(until_s=1.0)
    assert (0.5, NoteOff(5, 64)) in performance.sent
    assert (0.5, ControlChange(5, 64, 0)) in performance.sent
    assert [(1.0, NoteOff(6, 67))] == of_channel(performance, 6)[1:]


def test_a_cable_from_output_to_input_makes_no_storm() -> None:
    """What comes round is not passed on again; the same key struck later is."""
    backend, ear = LoopbackBackend(), list[int]()
    output = backend.open_virtual_output("Out")
    thru = Thru(output, bytearray(SIZE))

    def come_round(data: Sequence[int], _at_ns: int) -> None:
        """Be the cable."""
        ear.append(1)
        thru.pass_on(tuple(data), 1000, "Loop")

    backend.open_input("Out", come_round)
    thru.pass_on((0x95, 64, 90), 0, "Keys")
    assert 1 == len(ear)
    thru.pass_on((0x95, 64, 90), LOOP_NS + 2000, "Keys")
    assert len(ear) >= 2


def test_an_output_that_is_gone_is_left_to_the_beat() -> None:
    """In a driver's thread nobody could say so."""
    output = LoopbackBackend().open_virtual_output("Out")
    output.close()
    thru = Thru(output, bytearray(SIZE))
    thru.pass_on((0x90, 64, 90), 0, "Keys")
    thru.release(1.0)


def test_nothing_is_passed_on_after_the_end() -> None:
    """A player who goes on playing while the improviser leaves makes no note that nobody would end."""
    backend, ear = LoopbackBackend(), list[object]()
    output = backend.open_virtual_output("Out")
    backend.open_input("Out", lambda data, _at_ns: ear.append(data))
    thru = Thru(output, bytearray(SIZE))
    thru.pass_on((0x95, 64, 90), 0, "Keys")
    thru.close()
    thru.pass_on((0x95, 65, 90), 1, "Keys")
    thru.release(1.0)
    assert [(0x95, 64, 90), (0x85, 64, 0)] == ear
