"""Following a MIDI clock whose driver delivers ticks in bursts."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.listening.midi_clock import MidiClock, Sync
from improviser.midi.message import CLOCK, CONTINUE, START, STOP
from tests.unit.listening.test_midi_clock import follow, ticks


def delivered(moments: list[float], period_s: float, phase_s: float = 0.0003) -> list[float]:
    """Return the times of ticks that wait for the driver's next period."""
    return [float(at_s) for at_s in np.ceil((np.array(moments) - phase_s) / period_s) * period_s + phase_s]


@pytest.mark.parametrize("bpm", [50.0, 97.0, 120.0, 124.8, 180.0, 300.0, 400.0])
@pytest.mark.parametrize("period_s", [0.010, 0.040])
def test_the_tempo_stays_within_one_percent(bpm: float, period_s: float) -> None:
    """With periods of up to 40 ms the tempo is within 1 % from the fifth beat on."""
    for phase_s in np.linspace(0.0005, period_s, 3, endpoint=False):
        said = follow(delivered(ticks(bpm), period_s, float(phase_s)))[120:]
        told = [sync.tempo_bpm for sync in said if sync.tempo_bpm is not None]
        assert len(said) - 20 < len(told)
        assert [bpm] * len(told) == pytest.approx(told, rel=0.01)


@pytest.mark.parametrize("bpm", [97.0, 120.0, 180.0, 300.0])
def test_the_beat_is_steady(bpm: float) -> None:
    """In bursts of 40 ms the beat is within 5 ms of the truth, although ticks are up to 40 ms late."""
    true = ticks(bpm)
    said = follow(delivered(true, 0.040))
    assert max(abs(sync.at_s - at_s) for sync, at_s in zip(said[120:], true[120:], strict=True)) < 0.005


@pytest.mark.parametrize(("before", "after"), [(120.0, 90.0), (90.0, 120.0), (60.0, 240.0)])
def test_a_step_of_tempo_in_bursts_is_followed(before: float, after: float) -> None:
    """Three beats after a change of tempo in bursts the beat is within 20 ms, and the tempo within 2 %."""
    true = ticks(before, after)
    said = follow(delivered(true, 0.040))[32 * 24 + 72 :]
    late = [abs(sync.at_s - at_s) for sync, at_s in zip(said, true[32 * 24 + 72 :], strict=True)]
    assert max(late) < 0.020
    assert [after] * len(said) == pytest.approx([sync.tempo_bpm for sync in said], rel=0.02)


def test_no_tempo_is_told_before_it_is_sure() -> None:
    """The first burst gives no tempo, and later values are never far off."""
    said = follow(delivered(ticks(120.0), 0.040))
    told = [sync.tempo_bpm for sync in said if sync.tempo_bpm is not None]
    assert said[5].tempo_bpm is None
    assert 105 < min(told) <= max(told) < 135


def test_a_stall_is_survived() -> None:
    """Ticks of 300 ms that arrive at once, as after a stall, move the beat by at most 1 ms."""
    true = ticks(120.0, beats=8)
    heard = list(true)
    heard[100:115] = [true[115]] * 15
    said = follow(heard)
    assert max(abs(sync.at_s - at_s) for sync, at_s in zip(said, true, strict=True)) < 0.001


def test_continue_without_a_place_is_a_start() -> None:
    """A continue without a known position begins at beat 0; a later one resumes where the clock stopped."""
    clock = MidiClock()
    moments = iter(ticks(120.0))

    def tick() -> Sync:
        """Send a tick; return the clock's result."""
        sync = clock.receive(CLOCK, next(moments))
        assert sync is not None
        return sync

    assert None is tick().beat
    clock.receive(CONTINUE, 0.0)
    first = tick()
    assert (0.0, True) == (first.beat, first.is_jump)
    tick()
    clock.receive(STOP, 0.0)
    clock.receive(CONTINUE, 0.0)
    assert 2 / 24 == tick().beat


def test_a_place_can_be_forgotten() -> None:
    """After the position is dropped ticks give no beat until the next start."""
    clock = MidiClock()
    clock.receive(CONTINUE, 0.0)
    clock.receive(CLOCK, 1.0)
    clock.forget_place()
    sync = clock.receive(CLOCK, 1.02)
    assert sync is not None
    assert None is sync.beat


def test_a_gap_before_the_start_moves_no_place() -> None:
    """Ticks lost before the position is known are counted, and the start is beat 0."""
    clock = MidiClock()
    moments = ticks(120.0)
    for at_s in [*moments[:30], *moments[80:90]]:
        clock.receive(CLOCK, at_s)
    assert 120.0 == pytest.approx(clock.tempo_bpm)
    clock.receive(START, moments[89])
    sync = clock.receive(CLOCK, moments[90])
    assert sync is not None
    assert 0.0 == sync.beat
    assert moments[90] == pytest.approx(sync.at_s)


def test_a_start_after_a_gap_begins_a_new_line() -> None:
    """The first tick after a pause and a start is used at its own time, whatever the tempo before was."""
    clock = MidiClock()
    for at_s in ticks(120.0, beats=8):
        clock.receive(CLOCK, at_s)
    clock.receive(START, 200.0)
    said = [clock.receive(CLOCK, at_s) for at_s in ticks(90.0, beats=2, start_s=200.008)]
    assert 200.008 == said[0].at_s  # type: ignore[union-attr] # a tick
    assert 90.0 == pytest.approx(said[-1].tempo_bpm)  # type: ignore[union-attr] # a tick
