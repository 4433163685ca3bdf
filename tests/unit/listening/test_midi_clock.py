"""Following a MIDI clock, with ticks whose true tempo is known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from improviser.listening.midi_clock import MidiClock, Sync
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, NoteOn, SongPosition


def ticks(*tempos_bpm: float, beats: int = 32, start_s: float = 100.0) -> list[float]:
    """Return the true times of ticks, for a number of beats at each tempo."""
    lengths = np.repeat([60 / bpm / 24 for bpm in tempos_bpm], beats * 24)
    return [float(at_s) for at_s in start_s + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])]


def uneven(moments: Iterable[float], jitter_s: float, seed: int = 0) -> list[float]:
    """Return times that are off by up to `jitter_s`, still in order."""
    rng = np.random.default_rng(seed)
    return [float(at_s) for at_s in np.maximum.accumulate([at + rng.uniform(-jitter_s, jitter_s) for at in moments])]


def follow(moments: Iterable[float]) -> list[Sync]:
    """Start a clock and return its result at each tick."""
    clock = MidiClock()
    clock.receive(START, 0.0)
    heard = [clock.receive(CLOCK, at_s) for at_s in moments]
    return [sync for sync in heard if sync is not None]


@pytest.mark.parametrize("jitter_s", [0.0, 0.001, 0.003, 0.005])
def test_uneven_ticks_are_evened_out(jitter_s: float) -> None:
    """With ticks up to 5 ms off, the beat is off by at most 3 ms at p99 after four beats."""
    errors = []
    for seed in range(10):
        true = ticks(120.0)
        said = follow(uneven(true, jitter_s, seed))
        errors += [abs(sync.at_s - at_s) for sync, at_s in zip(said, true, strict=True)][96:]
    assert np.percentile(errors, 99) <= 0.003


@pytest.mark.parametrize("bpm", [20.0, 61.7, 120.0, 300.0])
def test_beats_and_tempo_are_told(bpm: float) -> None:
    """The first tick after a start is beat 0, 24 ticks make a beat, and the tempo is that of the ticks."""
    said = follow(ticks(bpm, beats=8))
    assert [place / 24 for place in range(192)] == [sync.beat for sync in said]
    assert [True, False] == [sync.is_jump for sync in said[:2]]
    assert said[0].tempo_bpm is None
    assert bpm == pytest.approx(said[-1].tempo_bpm)


@pytest.mark.parametrize(
    ("before", "after", "jitter_s"),
    [
        (120.0, 90.0, 0.0),
        (120.0, 90.0, 0.005),
        (90.0, 120.0, 0.005),
        (60.0, 240.0, 0.005),
        (120.0, 126.0, 0.0),
        (120.0, 126.0, 0.001),
    ],
)
def test_a_step_of_tempo_is_followed_within_two_beats(before: float, after: float, jitter_s: float) -> None:
    """Two beats after a change of tempo the beat is within 10 ms of the truth, and the tempo is the new one."""
    for seed in range(5):
        true = ticks(before, after)
        said = follow(uneven(true, jitter_s, seed))
        step = 32 * 24 + 48
        late = [abs(sync.at_s - at_s) for sync, at_s in zip(said[step:], true[step:], strict=True)]
        assert max(late) < 0.010
        assert after == pytest.approx(said[-1].tempo_bpm, rel=0.005)


def test_a_slowing_clock_is_followed() -> None:
    """During a ritardando from 120 to 80 over 16 beats the error stays within a twentieth of a beat."""
    lengths = 60 / np.linspace(120, 80, 16 * 24) / 24
    true = (100 + np.concatenate([[0.0], np.cumsum(lengths)])).tolist()
    said = follow(uneven(true, 0.001))
    assert max(abs(sync.at_s - at_s) for sync, at_s in zip(said, true, strict=True)) < 0.03


def test_one_late_tick_matters_not() -> None:
    """A single tick far off is used at its own time, and does not change the tempo."""
    true = ticks(120.0, beats=8)
    heard = list(true)
    heard[100] += 0.015
    said = follow(heard)
    assert max(abs(sync.at_s - at_s) for sync, at_s in zip(said[101:], true[101:], strict=True)) < 0.001


def test_lost_ticks_do_not_shift_the_beat() -> None:
    """After some lost beats the clock is where it would have been."""
    true = ticks(120.0)
    said = follow([*true[:200], *true[300:]])
    assert 300 / 24 == said[200].beat
    assert 120.0 == pytest.approx(said[-1].tempo_bpm)


def test_the_transport_is_known() -> None:
    """After a stop ticks give no beat; after a continue the beat resumes there or at the song position."""
    clock = MidiClock()
    moments = iter(ticks(120.0))

    def tick() -> float | None:
        """Send a tick; return its beat."""
        sync = clock.receive(CLOCK, next(moments))
        assert sync is not None
        return sync.beat

    assert None is tick()
    clock.receive(START, 0.0)
    assert [0.0, 1 / 24] == [tick(), tick()]
    clock.receive(STOP, 0.0)
    assert None is tick()
    clock.receive(CONTINUE, 0.0)
    assert [2 / 24, 3 / 24] == [tick(), tick()]
    clock.receive(SongPosition(32), 0.0)
    assert [8.0, 8 + 1 / 24] == [tick(), tick()]
    clock.receive(NoteOn(0, 60, 1), 0.0)
    assert clock.is_rolling


def test_it_is_known_whether_it_still_comes() -> None:
    """Half a second without a tick means that the clock is gone."""
    clock = MidiClock()
    assert not clock.is_alive(0.0)
    clock.receive(CLOCK, 10.0)
    assert clock.is_alive(10.4)
    assert not clock.is_alive(10.6)
    assert clock.tempo_bpm is None


def test_ticks_in_a_heap_have_no_pace() -> None:
    """Hundreds of ticks at one time, as after a stall, do no harm; later ticks are followed again."""
    clock = MidiClock()
    clock.receive(START, 0.0)
    heap = [clock.receive(CLOCK, 0.0) for _ in range(200)]
    assert all(sync is not None and (sync.tempo_bpm is None or sync.tempo_bpm <= 1000.1) for sync in heap)
    later = [clock.receive(CLOCK, 2.0 + place / 48) for place in range(100)]
    assert later[-1] is not None
    assert 120.0 == pytest.approx(later[-1].tempo_bpm, rel=1e-3)
