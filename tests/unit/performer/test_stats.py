"""The statistics of a performance."""

from __future__ import annotations

from improviser.midi.message import ControlChange, NoteOff, NoteOn
from improviser.performer.stats import Stats, quantiles_ms


def test_quantiles_are_of_absolute_milliseconds() -> None:
    """p50, p99, p99.9 and maximum ignore the sign; without times there are none."""
    assert {} == quantiles_ms([])
    assert {"p50": 500.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0} == quantiles_ms(
        [-time / 1000 for time in range(1001)]
    )


def test_notes_are_counted_and_other_messages_are_not() -> None:
    """Each note-on counts, with its deviation from its due time."""
    stats = Stats()
    stats.count_sent(NoteOn(0, 60, 80), 1.0, 1.001)
    stats.count_sent(NoteOn(0, 60, 80), 2.0, 2.0)
    stats.count_sent(NoteOff(0, 60), 3.0, 4.0)
    stats.count_sent(ControlChange(0, 64, 0), 3.0, 4.0)
    summary = stats.summary(stuck_notes=1, duration_s=1.0, start_s=0.5)
    assert (1, 2, 1.0, 0.5) == (
        summary.stuck_notes,
        summary.notes_played,
        summary.duration_s,
        summary.start_s,
    )
    assert 1.0 == summary.onset_error_ms["max"]
