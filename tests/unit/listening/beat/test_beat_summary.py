"""What happened in each beat, as numbers."""

from __future__ import annotations

from improviser.listening.beat.beat_summary import PARTS, SUMMARY, BeatSummaries
from improviser.listening.beat.onset_collector import Strength

STRONG = Strength(notes=2.0, bass=1.0, loud=0.5, fresh=1.0, leap=0.25)
WEAK = Strength(notes=0.0, bass=0.0, loud=0.0, fresh=0.5, leap=0.0)


def test_a_beat_is_complete_when_the_next_one_has_begun() -> None:
    """An onset a little before the next beat belongs to it and completes the one before."""
    summaries = BeatSummaries()
    assert [] == summaries.add_onset(0.0, STRONG)
    assert [] == summaries.add_onset(0.5, WEAK)
    done = summaries.add_onset(0.95, STRONG)
    assert [SUMMARY] == [len(row) for row in done]
    assert [1.0, 1.0, 1.0, 0.5, 1.0, 0.25] == done[0][:6].tolist()
    assert 0.25 == done[0][6]  # half a beat until the next onset, in twos
    assert [0, 0, 1, 0, 0] == done[0][-len(PARTS) :].tolist()
    assert 1 == summaries.beat


def test_beats_without_an_onset_are_empty() -> None:
    """A rest gives empty summaries, one for each beat."""
    summaries = BeatSummaries()
    done = summaries.add_onset(3.0, WEAK)
    assert [0.0] * 3 == [float(row.sum()) for row in done]
