"""What is counted while the music plays."""

from __future__ import annotations

from improviser.midi.message import ControlChange, NoteOff, NoteOn
from improviser.performer.stats import Stats, quantiles_ms


def test_quantiles_are_of_absolute_milliseconds() -> None:
    """p50, p99, p99.9 and maximum do not look at the sign; without times there are none."""
    assert {} == quantiles_ms([])
    assert {"p50": 500.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0} == quantiles_ms(
        [-time / 1000 for time in range(1001)]
    )


def test_what_sounds_is_counted_beside_the_scheduler() -> None:
    """A note that was sent twice needs two releases; an off too many is no harm."""
    tally = Stats()
    tally.count_sent(NoteOn(0, 60, 80), 1.0, 1.001)
    tally.count_sent(NoteOn(0, 60, 80), 2.0, 2.001)
    tally.count_sent(NoteOff(0, 60), 3.0, 3.0)
    tally.count_sent(ControlChange(0, 64, 0), 3.0, 3.0)
    assert 1 == tally.summary(duration_s=1.0, start_s=None).stuck_notes
    tally.count_sent(NoteOff(0, 60), 3.0, 3.0)
    tally.count_sent(NoteOff(0, 60), 3.0, 3.0)
    summary = tally.summary(duration_s=1.0, start_s=0.5)
    assert (0, 2, 1.0, 0.5) == (
        summary.stuck_notes,
        summary.notes_played,
        summary.duration_s,
        summary.start_s,
    )
    assert 1.0 == summary.onset_error_ms["max"]
