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
    """Each note-on counts, with its distance from its moment."""
    stats = Stats()
    stats.count_sent(NoteOn(0, 60, 80), 1.0, 1.001)
    stats.count_sent(NoteOff(0, 60), 3.0, 4.0)
    stats.count_sent(ControlChange(0, 64, 0), 3.0, 4.0)
    summary = stats.summary(duration_s=1.0, start_s=0.5)
    assert (1, 1.0, 0.5) == (summary.notes_played, summary.duration_s, summary.start_s)
    assert 1.0 == summary.onset_error_ms["max"]


def test_stuck_notes_are_those_that_were_sent_and_never_released() -> None:
    """They are counted apart from the scheduler, to judge it: a note sent twice needs two releases."""
    stats = Stats()
    stats.count_sent(NoteOff(0, 60), 0.5, 0.5)
    for at_s in (1.0, 2.0):
        stats.count_sent(NoteOn(0, 60, 80), at_s, at_s)
    stats.count_sent(NoteOff(0, 60), 3.0, 3.0)
    assert 1 == stats.summary(duration_s=1.0, start_s=None).stuck_notes
    stats.count_sent(NoteOff(0, 60), 3.0, 3.0)
    assert 0 == stats.summary(duration_s=1.0, start_s=None).stuck_notes
