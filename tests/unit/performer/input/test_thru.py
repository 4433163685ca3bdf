"""MIDI thru: immediate, complete, and without a stuck note."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from improviser.ipc.shared_state import NOTE_CELLS, SIZE
from improviser.midi.message import ControlChange, Message, NoteOff, NoteOn, PitchBend
from improviser.performer.inbox import PortLost
from improviser.performer.input.echo import ROUNDS, ROUNDS_OF_TWO, EchoFilter
from improviser.performer.input.thru import Thru
from improviser.ports.loopback import LoopbackBackend
from improviser.protocol import Act, Action, Lifted, Played, Warned
from tests.performing import KEYBOARD, Performance, hanging, performer_settings


def passing() -> Performance:
    """Return a performance that passes on what it receives."""
    return Performance(performer_settings(thru=True))


def looped(port: str, delay_s: float) -> Performance:
    """Return a performance whose output comes back on an input after `delay_s` seconds."""
    performance = passing()
    echo = performance.inbox.hears(port)

    def come_round(data: Sequence[int], _at_ns: int) -> None:
        """Receive a sent message after the delay."""
        at_s = performance.clock.now_s() + delay_s
        performance.clock.at(at_s, lambda: echo(data, round(at_s * 1e9)))

    performance.backend.open_input("Improviser Out", come_round)
    return performance


def of_channel(performance: Performance, channel: int) -> list[tuple[float, Message]]:
    """Return what was sent on a channel."""
    return [pair for pair in performance.sent if getattr(pair[1], "channel", None) == channel]


def test_what_comes_in_goes_out_at_its_moment() -> None:
    """Notes, pedals and wheels leave at once and unchanged, while the improviser plays."""
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
    """Messages without a channel are not passed on: a clock's follower must not receive two clocks."""
    performance = passing()
    performance.play_bytes(0.1, [0xF8])
    performance.play_bytes(0.2, [0xF0, 0x7D, 0xF7])
    performance.run(until_s=1.0)
    assert [] == performance.sent


def test_keys_that_are_held_come_up_in_the_end_and_at_a_panic() -> None:
    """At the end and at a panic, keys and pedals that were passed on are released."""
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
    """When a port disappears, its keys are released and those of other ports are not."""
    performance = passing()
    performance.play(0.1, NoteOn(5, 64, 90), ControlChange(5, 64, 127))
    performance.play(0.2, NoteOn(6, 67, 90), port="Improviser In")
    performance.at(0.5, lambda: performance.inbox.put(PortLost(KEYBOARD, is_output=False)))
    performance.run(until_s=1.0)
    assert (0.5, NoteOff(5, 64)) in performance.sent
    assert (0.5, ControlChange(5, 64, 0)) in performance.sent
    assert [(1.0, NoteOff(6, 67))] == of_channel(performance, 6)[1:]


def no_echoes() -> EchoFilter:
    """Return a filter for an output without look-ahead."""
    return EchoFilter(lambda _loop: None, lambda: 0.0)


@pytest.mark.parametrize("port", ["Improviser In", KEYBOARD])
@pytest.mark.parametrize("delay_s", [0.0, 0.002, 0.02])
def test_a_cable_from_output_to_input_makes_no_storm(port: str, delay_s: float) -> None:
    """Messages that come back on any input stop circulating, and the next key is still passed on."""
    performance = looped(port, delay_s)
    performance.play(0.1, ControlChange(5, 64, 127), PitchBend(5, 100), NoteOn(5, 64, 90))
    performance.play(0.4, NoteOff(5, 64), PitchBend(5, 0), ControlChange(5, 64, 0))
    performance.play(1.0, NoteOn(5, 64, 90))
    performance.play(1.3, NoteOff(5, 64))
    performance.run(until_s=2.0)
    passed = [message for _, message in of_channel(performance, 5)]
    assert 2 == passed.count(NoteOn(5, 64, 90))
    assert len(passed) <= 2 * 8


@pytest.mark.parametrize("delay_s", [0.002, 0.01, 0.03])
@pytest.mark.parametrize(
    "moves",
    [
        [ControlChange(5, 1, 5 * value) for value in range(20)],
        [PitchBend(5, 99 * value) for value in range(20)],
    ],
)
def test_a_sweep_that_comes_round_dies_out(delay_s: float, moves: list[Message]) -> None:
    """A wheel's values stop circulating after a few rounds, also before a note has proven the loop."""
    performance = looped(KEYBOARD, delay_s)
    for place, move in enumerate(moves):
        performance.play(0.1 + 0.005 * place, move)
    performance.run(until_s=4.0)
    assert len(moves) <= len(performance.sent) <= len(moves) * (ROUNDS + 1)
    assert performance.sent[-1][0] < 1.0


def test_quick_repeats_pass() -> None:
    """Fast playing is no echo: a trill on one key, a fluttering pedal, a wheel moved out and back."""
    performance = passing()
    quick: list[Message] = [
        NoteOn(5, 64, 90),
        NoteOff(5, 64),
        NoteOn(5, 64, 90),
        NoteOff(5, 64),
        ControlChange(5, 64, 127),
        ControlChange(5, 64, 0),
        ControlChange(5, 64, 127),
        ControlChange(5, 64, 0),
        PitchBend(5, 100),
        PitchBend(5, 0),
        PitchBend(5, 100),
        PitchBend(5, 0),
    ]
    for place, message in enumerate(quick):
        performance.play(0.1 + place * 0.004, message)
    performance.run(until_s=1.0)
    assert quick == [message for _, message in of_channel(performance, 5)][: len(quick)]


@pytest.mark.parametrize("delay_s", [0.0015, 0.005])
def test_two_values_that_come_round_die_out_too(delay_s: float) -> None:
    """Two circulating values could be a trembling wheel, so they stop only after some seconds."""
    performance = looped(KEYBOARD, delay_s)
    performance.play(0.1, ControlChange(5, 1, 10))
    performance.play(0.101, ControlChange(5, 1, 11))
    performance.run(until_s=12.0)
    assert ROUNDS_OF_TWO < len(performance.sent) <= 2 * ROUNDS_OF_TWO + 2
    assert performance.sent[-1][0] < 0.2 + delay_s * ROUNDS_OF_TWO


@pytest.mark.parametrize("every_s", [0.005, 0.01])
@pytest.mark.parametrize("value", [lambda place: 64 + place % 2, lambda place: abs(place % 20 - 10)])
def test_a_control_that_goes_to_and_fro_passes(every_s: float, value: Callable[[int], int]) -> None:
    """A wheel that trembles between two values, or swings, never proves a loop."""
    performance = passing()
    moves: list[Message] = [ControlChange(5, 1, value(place)) for place in range(200)]
    for place, move in enumerate(moves):
        performance.play(0.1 + place * every_s, move)
    performance.run(until_s=3.0)
    assert moves == [message for _, message in of_channel(performance, 5)]
    assert not performance.told(Warned)


def test_two_players_on_the_same_key_leave_nothing_hanging() -> None:
    """When two players press the same key in turn, both note-offs are heard and passed on."""
    performance = passing()
    performance.play(0.1, NoteOn(5, 60, 80))
    performance.play(0.5, NoteOff(5, 60))
    performance.play(0.505, NoteOn(5, 60, 70), port="Improviser In")
    performance.play(0.525, NoteOff(5, 60), port="Improviser In")
    performance.run(until_s=1.0)
    assert [0.1, 0.5, 0.505, 0.525] == [at_s for at_s, _ in of_channel(performance, 5)]
    assert [(KEYBOARD, 60), ("Improviser In", 60)] == [(event.port, event.note) for event in performance.told(Lifted)]


def test_all_notes_off_goes_out_as_the_players_own_ends() -> None:
    """All notes off ends only the player's notes, not the improviser's; the pedal still holds its notes."""
    performance = passing()
    performance.play(0.1, ControlChange(5, 64, 127), NoteOn(5, 64, 90), NoteOn(5, 67, 90))
    performance.play(0.2, ControlChange(5, 123, 0))
    performance.play(0.3, ControlChange(5, 120, 0))
    performance.play(0.4, ControlChange(5, 64, 0))
    performance.run(until_s=1.0)
    expected = [
        (0.2, NoteOff(5, 64)),
        (0.2, NoteOff(5, 67)),
        (0.3, ControlChange(5, 64, 0)),
        (0.3, ControlChange(5, 64, 127)),
        (0.4, ControlChange(5, 64, 0)),
    ]
    assert expected == of_channel(performance, 5)[3:]


def test_an_output_that_is_gone_is_left_to_the_beat() -> None:
    """A lost output does not raise in the driver's thread; the performer loop handles it."""
    output = LoopbackBackend().open_virtual_output("Out")
    output.close()
    thru = Thru(output, bytearray(SIZE), no_echoes(), lambda _message, _port: False)
    thru.pass_on((0x90, 64, 90), 0, "Keys")
    thru.release(1.0)


def test_nothing_is_passed_on_after_the_end() -> None:
    """After the end nothing more is passed on, so that no note hangs."""
    backend, ear = LoopbackBackend(), list[object]()
    output = backend.open_virtual_output("Out")
    backend.open_input("Out", lambda data, _at_ns: ear.append(data))
    thru = Thru(output, bytearray(SIZE), no_echoes(), lambda _message, _port: False)
    thru.pass_on((0x95, 64, 90), 0, "Keys")
    thru.close()
    thru.pass_on((0x95, 65, 90), 1, "Keys")
    thru.release(1.0)
    assert [(0x95, 64, 90), (0x85, 64, 0)] == ear
